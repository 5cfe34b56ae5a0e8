// openid-client 5, by its README.
import { Issuer, generators } from "openid-client-5";
import { redirectURI, serve } from "./small-app.mjs";

let session;

async function login() {
  // LINES
  session = { client, checks: { code_verifier: typeof verifier === "undefined" ? undefined : verifier, state: new URL(url).searchParams.get("state") ?? undefined } };
  return url;
}

async function callback(url) {
  const parameters = session.client.callbackParams(url.href);
  return session.client.callback(redirectURI, parameters, session.checks);
}

const me = (token) => session.client.userinfo(token.access_token);
const refresh = (token) => session.client.refresh(token.refresh_token);
const disconnect = (token) => session.client.revoke(token.refresh_token);

serve({ login, callback, me, refresh, disconnect });
