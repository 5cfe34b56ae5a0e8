// simple-oauth2, by its README.
import { AuthorizationCode } from "simple-oauth2";
import { createHash, randomBytes } from "node:crypto";
import { redirectURI, scope, serve, userinfoURL } from "./small-app.mjs";

const session = {};

function login() {
  // LINES
  session.loop = loop;
  return url;
}

async function callback(url) {
  const more = session.verifier ? { code_verifier: session.verifier } : {};
  const code = url.searchParams.get("code");
  return (session.kept = await session.loop.getToken({ code, redirect_uri: redirectURI, ...more })).token;
}

const me = async (token) => (await fetch(userinfoURL, { headers: { authorization: `Bearer ${token.access_token}` } })).json();
const refresh = async (token) => (session.kept = await session.loop.createToken(token).refresh({ scope: scope.split(" ") })).token;
// The library says that a token's time is over, and leaves the rest to the app.
const expired = (token) => {
  const late = session.loop.createToken({ ...token, expires_at: new Date(0) });
  return late.expired() ? refresh(token) : token;
};
const disconnect = (token) => session.loop.createToken(token).revokeAll();

serve({ login, callback, me, refresh, expired, disconnect });
