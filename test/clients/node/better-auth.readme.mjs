genericOAuth({ config: [{
  providerId: "loop", discoveryUrl: "{{.Issuer}}/.well-known/openid-configuration",
  clientId: "{{.ClientID}}", clientSecret: process.env.LOOP_CLIENT_SECRET,
  scopes: "{{.Scope}}".split(" "),
}] })
