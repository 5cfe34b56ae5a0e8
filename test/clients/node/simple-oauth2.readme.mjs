const loop = new AuthorizationCode({
  client: { id: "{{.ClientID}}", secret: process.env.LOOP_CLIENT_SECRET },
  auth: { tokenHost: "{{.Issuer}}", tokenPath: "/v1/oauth/token", authorizePath: "/v1/oauth/authorize", revokePath: "/v1/oauth/revoke" },
});{{if .PKCE}}
session.verifier = randomBytes(48).toString("base64url");{{end}}
const url = loop.authorizeURL({
  redirect_uri: "{{.RedirectURI}}", scope: "{{.Scope}}", state: randomBytes(16).toString("base64url"),{{if .PKCE}}
  code_challenge: createHash("sha256").update(session.verifier).digest("base64url"), code_challenge_method: "S256",{{end}}
});
