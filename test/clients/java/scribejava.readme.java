OAuth20Service service = new ServiceBuilder("{{.ClientID}}").apiSecret(System.getenv("LOOP_CLIENT_SECRET"))
    .defaultScope("{{.Scope}}").callback("{{.RedirectURI}}").build(new Loop());
{{if .PKCE}}AuthorizationUrlBuilder builder = service.createAuthorizationUrlBuilder().state(state).initPKCE();
pkce = builder.getPkce();
String url = builder.build();{{else}}String url = service.getAuthorizationUrl(state);{{end}}
