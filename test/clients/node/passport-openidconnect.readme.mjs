const strategy = new OpenIDConnectStrategy({
  issuer: "{{.Issuer}}", authorizationURL: "{{.Issuer}}/v1/oauth/authorize",
  tokenURL: "{{.Issuer}}/v1/oauth/token", userInfoURL: "{{.Issuer}}/v1/oauth/userinfo",
  clientID: "{{.ClientID}}", clientSecret: process.env.LOOP_CLIENT_SECRET,
  callbackURL: "{{.RedirectURI}}", scope: "{{.Scope}}".replace("openid ", "").split(" "),
}, verify);
