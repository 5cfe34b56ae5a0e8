let client = BasicClient::new(ClientId::new("{{.ClientID}}".into()))
    .set_client_secret(ClientSecret::new(env::var("LOOP_CLIENT_SECRET")?))
    .set_auth_uri(AuthUrl::new("{{.Issuer}}/v1/oauth/authorize".into())?)
    .set_token_uri(TokenUrl::new("{{.Issuer}}/v1/oauth/token".into())?)
    .set_redirect_uri(RedirectUrl::new("{{.RedirectURI}}".into())?);
let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
