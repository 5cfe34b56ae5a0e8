server = OIDCProviderMetadata.resolve(new Issuer("{{.Issuer}}"));
authentication = new ClientSecretBasic(new ClientID("{{.ClientID}}"), new Secret(System.getenv("LOOP_CLIENT_SECRET")));
{{if .PKCE}}verifier = new CodeVerifier();
{{end}}request = new AuthenticationRequest.Builder(
    new ResponseType("code"), Scope.parse("{{.Scope}}"), authentication.getClientID(), new URI("{{.RedirectURI}}"))
    .endpointURI(server.getAuthorizationEndpointURI()).state(new State()).nonce(new Nonce()){{if .PKCE}}
    .codeChallenge(verifier, CodeChallengeMethod.S256){{end}}.build();
