// Arctic, with its generic client.
import * as arctic from "arctic";
import { revokeURL, scope, serve, tokenURL, userinfoURL } from "./small-app.mjs";

const session = {};

function login() {
  // LINES
  session.loop = loop;
  return url;
}

const keep = (answer) => ({ access_token: answer.accessToken(), refresh_token: answer.refreshToken() });

async function callback(url) {
  if (url.searchParams.get("state") !== session.state) throw new Error("the state is not the session's");
  return keep(await session.loop.validateAuthorizationCode(tokenURL, url.searchParams.get("code"), session.verifier ?? null));
}

const me = async (token) => (await fetch(userinfoURL, { headers: { authorization: `Bearer ${token.access_token}` } })).json();
const refresh = async (token) => keep(await session.loop.refreshAccessToken(tokenURL, token.refresh_token, scope.split(" ")));
const disconnect = (token) => session.loop.revokeToken(revokeURL, token.refresh_token);

serve({ login, callback, me, refresh, disconnect });
