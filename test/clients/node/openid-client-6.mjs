// openid-client 6, by its README.
import * as openid from "openid-client";
import { issuer, redirectURI, scope, serve } from "./small-app.mjs";

// On loopback the platform has no https, and the library wants to be told.
const client = {
  ...openid,
  discovery: (server, id, secret) => openid.discovery(server, id, secret, undefined, { execute: [openid.allowInsecureRequests] }),
};
let session;

async function login() {
  // LINES
  session = { config, verifier, state: url.searchParams.get("state") ?? undefined };
  return url;
}

const keep = (answer) => ({ ...answer, sub: answer.claims()?.sub ?? session.sub });

async function callback(url) {
  const answer = await client.authorizationCodeGrant(session.config, url, { pkceCodeVerifier: session.verifier, expectedState: session.state });
  session.sub = answer.claims().sub;
  return keep(answer);
}

const me = (token) => client.fetchUserInfo(session.config, token.access_token, token.sub);
const refresh = async (token) => keep(await client.refreshTokenGrant(session.config, token.refresh_token, { scope }));
const disconnect = (token) => client.tokenRevocation(session.config, token.refresh_token);

serve({ login, callback, me, refresh, disconnect });
