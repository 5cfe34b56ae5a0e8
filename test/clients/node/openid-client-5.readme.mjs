const loop = await Issuer.discover("{{.Issuer}}");
const client = new loop.Client({
  client_id: "{{.ClientID}}", client_secret: process.env.LOOP_CLIENT_SECRET,
  redirect_uris: ["{{.RedirectURI}}"], response_types: ["code"],
});
const state = generators.state();{{if .PKCE}}
const verifier = generators.codeVerifier();{{end}}
const url = client.authorizationUrl({
  scope: "{{.Scope}}", state,{{if .PKCE}}
  code_challenge: generators.codeChallenge(verifier), code_challenge_method: "S256",{{end}}
});
