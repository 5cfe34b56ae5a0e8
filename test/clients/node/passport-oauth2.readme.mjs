new OAuth2Strategy({
  authorizationURL: "{{.Issuer}}/v1/oauth/authorize", tokenURL: "{{.Issuer}}/v1/oauth/token",
  clientID: "{{.ClientID}}", clientSecret: process.env.LOOP_CLIENT_SECRET,
  callbackURL: "{{.RedirectURI}}", scope: "{{.Scope}}".split(" "),{{if .PKCE}} state: true, pkce: true,{{end}}
}, verify)
