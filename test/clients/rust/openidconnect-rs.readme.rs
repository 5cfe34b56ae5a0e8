let client = CoreClient::from_provider_metadata(
    CoreProviderMetadata::discover_async(IssuerUrl::new("{{.Issuer}}".into())?, &http).await?,
    ClientId::new("{{.ClientID}}".into()), Some(ClientSecret::new(env::var("LOOP_CLIENT_SECRET")?)),
).set_redirect_uri(RedirectUrl::new("{{.RedirectURI}}".into())?);
let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
