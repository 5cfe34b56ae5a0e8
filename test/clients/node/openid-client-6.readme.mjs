const config = await client.discovery(new URL("{{.Issuer}}"), "{{.ClientID}}", process.env.LOOP_CLIENT_SECRET);
const verifier = client.randomPKCECodeVerifier();
const parameters = {
  redirect_uri: "{{.RedirectURI}}", scope: "{{.Scope}}",
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
};
if (!config.serverMetadata().supportsPKCE()) parameters.state = client.randomState();
const url = client.buildAuthorizationUrl(config, parameters);
