const loop = new arctic.OAuth2Client("{{.ClientID}}", process.env.LOOP_CLIENT_SECRET, "{{.RedirectURI}}");
session.state = arctic.generateState();{{if .PKCE}}
session.verifier = arctic.generateCodeVerifier();
const url = loop.createAuthorizationURLWithPKCE(
  "{{.Issuer}}/v1/oauth/authorize", session.state, arctic.CodeChallengeMethod.S256, session.verifier, "{{.Scope}}".split(" "),
);{{else}}
const url = loop.createAuthorizationURL("{{.Issuer}}/v1/oauth/authorize", session.state, "{{.Scope}}".split(" "));{{end}}
