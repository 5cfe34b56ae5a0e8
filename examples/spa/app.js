// Connect with Loop in a single-page app: a public client, on oauth4webapi.
//
// Its tokens are bound to a key that the browser never gives away (DPoP), and live in
// memory: who leaves the page signs in again, which takes no more than a moment. A
// token that a script of somebody else's could copy would be of no use elsewhere.

import * as oauth from 'oauth4webapi';
import { issuer, clinical, clientId, redirectUri } from './config.js';

const client = { client_id: clientId };
const onLaptop = { [oauth.allowInsecureRequests]: issuer.startsWith('http:') }; // loop dev, without TLS

async function discover() {
  const found = await oauth.discoveryRequest(new URL(issuer), onLaptop);
  return oauth.processDiscoveryResponse(new URL(issuer), found);
}

// docs:begin connect
// Send the member to Loop. What must come back waits in this tab.
async function connect(server) {
  const flow = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() };
  sessionStorage.setItem('flow', JSON.stringify(flow));
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid read:biomarkers',
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
  });
  location.assign(address);
}
// docs:end connect

// docs:begin finish
// Take the answer and exchange the code, with a key that this page has just made.
async function finish(server, address) {
  const flow = JSON.parse(sessionStorage.getItem('flow') ?? '{}');
  sessionStorage.removeItem('flow');
  history.replaceState(null, '', redirectUri); // the code is of no use any more, and does not belong in the history
  const answer = oauth.validateAuthResponse(server, client, address, flow.state);
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const exchange = () => oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), answer, redirectUri, flow.verifier, { DPoP, ...onLaptop },
  );
  const tokens = await again(async () => oauth.processAuthorizationCodeResponse(
    server, client, await exchange(), { expectedNonce: flow.nonce, requireIdToken: true },
  ));
  return { tokens, DPoP };
}

// A server that wants a nonce in each proof says so once; the same is then sent again.
async function again(send) {
  try {
    return await send();
  } catch (refused) {
    if (!oauth.isDPoPNonceError(refused)) throw refused;
    return send();
  }
}
// docs:end finish

// docs:begin read
// Read the newest lab results. The API answers this page because its origin is
// registered for the app.
async function read({ tokens, DPoP }) {
  const address = new URL('/v1/biomarkers/me?latest=true', clinical);
  const answer = await again(() => oauth.protectedResourceRequest(tokens.access_token, 'GET', address, undefined, undefined, { DPoP, ...onLaptop }));
  return (await answer.json()).biomarkers;
}
// docs:end read

function show(results) {
  const body = document.querySelector('#results tbody');
  for (const { biomarker_name: name, value, unit } of results) {
    const row = body.insertRow();
    for (const text of [name, value, unit]) row.insertCell().textContent = text;
  }
  document.querySelector('#results').hidden = false;
  document.querySelector('#said').textContent = `Connected to Loop! ${results.length} results.`;
}

const server = await discover();
const address = new URL(location.href);
if (address.searchParams.has('state')) {
  try {
    show(await read(await finish(server, address)));
  } catch (refused) { // a member who said no is access_denied
    document.querySelector('#said').textContent = `Not connected: ${refused.error ?? refused.message}`;
  }
}
const button = document.querySelector('#connect');
button.hidden = false;
button.onclick = () => connect(server);
