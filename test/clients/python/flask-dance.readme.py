loop = OAuth2ConsumerBlueprint(
    "loop", __name__,
    client_id="{{.ClientID}}", client_secret=os.environ["LOOP_CLIENT_SECRET"], scope="{{.Scope}}",
    authorization_url="{{.Issuer}}/v1/oauth/authorize", token_url="{{.Issuer}}/v1/oauth/token",
    auto_refresh_url="{{.Issuer}}/v1/oauth/token",
    auto_refresh_kwargs={"client_id": "{{.ClientID}}", "client_secret": os.environ["LOOP_CLIENT_SECRET"]},{{if .PKCE}}
    use_pkce=True,{{end}}
)
