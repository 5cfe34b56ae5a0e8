providers: [{
  id: "loop", name: "Loop", type: "oidc", issuer: "{{.Issuer}}",
  clientId: "{{.ClientID}}", clientSecret: process.env.LOOP_CLIENT_SECRET,
  authorization: { params: { scope: "{{.Scope}}" } },
}]
