oauth.register(
    name="loop",
    client_id="{{.ClientID}}",
    client_secret=os.environ["LOOP_CLIENT_SECRET"],
    server_metadata_url="{{.Issuer}}/.well-known/openid-configuration",
    client_kwargs={"scope": "{{.Scope}}"{{if .PKCE}}, "code_challenge_method": "S256"{{end}}},
)
