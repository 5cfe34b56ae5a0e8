// An app on openid-client 6, as a client of the FAPI 2.0 Security Profile whose
// requests are signed, pushed, and bound to a DPoP key; peers_test.go says what it
// reads and what it prints.

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import * as client from 'openid-client';
import { EnvHttpProxyAgent, fetch } from 'undici';

const settings = JSON.parse(await readFile(process.argv.at(-1), 'utf8'));
const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
const { kid, ...jwk } = settings.key;
const key = { key: await crypto.subtle.importKey('jwk', { ...jwk, use: undefined }, p256, false, ['sign']), kid };

// Node's own fetch looks at HTTPS_PROXY from version 24 on.
const dispatcher = new EnvHttpProxyAgent();
const throughProxy = (url, options) => fetch(url, { ...options, dispatcher });

const config = await client.discovery(
  new URL(settings.issuer),
  settings.client_id,
  { id_token_signed_response_alg: settings.id_token_signed_response_alg, dpop_bound_access_tokens: true, require_pushed_authorization_requests: true },
  client.PrivateKeyJwt(key),
  { [client.customFetch]: throughProxy },
);
client.enableNonRepudiationChecks(config); // check the signature of ID tokens, too
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const signed = await client.buildAuthorizationUrlWithJAR(
  config,
  {
    response_type: 'code', redirect_uri: settings.redirect_uri, scope: settings.scope, state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  },
  key,
);
const pushed = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP });
console.log(pushed.href);

const lines = createInterface({ input: process.stdin });
const [back] = await new Promise((resolve) => lines.once('line', (line) => resolve([line])));
lines.close();
const first = await client.authorizationCodeGrant(
  config, new URL(back), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP },
);
const claims = first.claims();
const got = {
  claims,
  userinfo: await client.fetchUserInfo(config, first.access_token, claims.sub, { DPoP }),
  first: await read(first),
};
got.refreshed = await read(await client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP }));
console.log(JSON.stringify(got));
await dispatcher.close();

async function read(tokens) {
  const response = await client.fetchProtectedResource(
    config, tokens.access_token, new URL('/v1/biomarkers/me', settings.clinical), 'GET', undefined, undefined, { DPoP },
  );
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const { access_token, refresh_token, id_token, token_type, scope } = tokens;
  return { access_token, refresh_token, id_token, token_type, scope, biomarkers: (await response.json()).biomarkers.length };
}
