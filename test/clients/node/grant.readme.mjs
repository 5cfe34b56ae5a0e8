{
  defaults: { origin: process.env.BASE_URL, transport: "session" },
  loop: {
    authorize_url: "{{.Issuer}}/v1/oauth/authorize", access_url: "{{.Issuer}}/v1/oauth/token", oauth: 2, scope_delimiter: " ",
    key: "{{.ClientID}}", secret: process.env.LOOP_CLIENT_SECRET, scope: "{{.Scope}}".split(" "),
    callback: "/hello",{{if .PKCE}} pkce: true,{{end}}
  },
}
