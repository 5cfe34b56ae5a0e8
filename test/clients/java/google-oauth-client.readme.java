AuthorizationCodeFlow.Builder builder = new AuthorizationCodeFlow.Builder(
    BearerToken.authorizationHeaderAccessMethod(), new NetHttpTransport(), GsonFactory.getDefaultInstance(),
    new GenericUrl("{{.Issuer}}/v1/oauth/token"), new BasicAuthentication("{{.ClientID}}", System.getenv("LOOP_CLIENT_SECRET")),
    "{{.ClientID}}", "{{.Issuer}}/v1/oauth/authorize");{{if .PKCE}}
builder.enablePKCE();{{end}}
AuthorizationCodeFlow flow = builder.setScopes(List.of("{{.Scope}}".split(" "))).build();
String url = flow.newAuthorizationUrl().setRedirectUri("{{.RedirectURI}}").setState(state).build();
