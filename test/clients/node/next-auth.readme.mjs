providers: [{
  id: "loop", name: "Loop", type: "oauth", wellKnown: "{{.Issuer}}/.well-known/openid-configuration",
  clientId: "{{.ClientID}}", clientSecret: process.env.LOOP_CLIENT_SECRET,
  authorization: { params: { scope: "{{.Scope}}" } },
  idToken: true,{{if .PKCE}} checks: ["pkce", "state"],{{end}}
  profile(profile) { return { id: profile.sub, name: profile.name, email: profile.email }; },
}]
