// Connect with Loop in Node, on Express and openid-client.
//
//   . .loop/dev.env && node app.mjs
//
// It keeps tokens in memory, by session, and forgets them when it stops. An app for
// real members keeps them encrypted in a database.

import { randomUUID } from 'node:crypto';
import express from 'express';
import session from 'express-session';
import * as client from 'openid-client';

// docs:begin settings
const { LOOP_IDENTITY_URL, LOOP_CLINICAL_URL, LOOP_CLIENT_ID, LOOP_CLIENT_SECRET, LOOP_REDIRECT_URI } = process.env;

const onLaptop = LOOP_IDENTITY_URL.startsWith('http:'); // loop dev, without TLS
const loop = await client.discovery(
  new URL(LOOP_IDENTITY_URL),
  LOOP_CLIENT_ID,
  LOOP_CLIENT_SECRET,
  client.ClientSecretPost(LOOP_CLIENT_SECRET),
  onLaptop ? { execute: [client.allowInsecureRequests] } : undefined,
);

const app = express();
app.use(session({
  secret: process.env.FLASK_SECRET_KEY ?? randomUUID(),
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax', secure: LOOP_REDIRECT_URI.startsWith('https:') },
}));
// docs:end settings

// docs:begin login
// Send the member to Loop, with PKCE, a state and a nonce that only this browser's
// session holds.
app.get('/login', async (request, response) => {
  const flow = { verifier: client.randomPKCECodeVerifier(), state: client.randomState(), nonce: client.randomNonce() };
  request.session.flow = flow;
  response.redirect(client.buildAuthorizationUrl(loop, {
    redirect_uri: LOOP_REDIRECT_URI,
    scope: 'openid profile read:biomarkers',
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
  }).href);
});
// docs:end login

// docs:begin callback
// Take the answer: openid-client compares state, issuer and nonce, exchanges the code
// and checks the ID token.
app.get('/callback', async (request, response) => {
  const flow = request.session.flow;
  delete request.session.flow;
  if (!flow) {
    response.status(400).json({ error: 'This answer does not belong to a request from this browser.' });
    return;
  }
  try {
    const tokens = await client.authorizationCodeGrant(loop, new URL(request.url, LOOP_REDIRECT_URI), {
      pkceCodeVerifier: flow.verifier, expectedState: flow.state, expectedNonce: flow.nonce, idTokenExpected: true,
    });
    await show(response, tokens);
  } catch (refused) { // a member who said no is access_denied
    response.status(400).json({ error: refused.error ?? refused.code, error_description: refused.error_description });
  }
});
// docs:end callback

// docs:begin biomarkers
// Read what the member allows; a 403 means that they left lab results out.
async function show(response, tokens) {
  const answer = await fetch(`${LOOP_CLINICAL_URL}/v1/biomarkers/me`, {
    headers: { Authorization: `Bearer ${tokens.access_token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok && answer.status !== 403) {
    response.status(502).json({ error: 'Reading lab results failed' });
    return;
  }
  response.set('Cache-Control', 'no-store').json({
    message: 'Connected to Loop!',
    scopes: tokens.scope,
    biomarkers: answer.ok ? await answer.json() : null,
  });
}
// docs:end biomarkers

app.get('/', (_, response) => response.redirect('/login'));

const { port } = new URL(LOOP_REDIRECT_URI);
app.listen(port, 'localhost', () => console.log(`open http://localhost:${port}/login`));
