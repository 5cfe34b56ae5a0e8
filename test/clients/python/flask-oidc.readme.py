app.config.update(
    OIDC_CLIENT_SECRETS={"web": {"client_id": "{{.ClientID}}", "client_secret": os.environ["LOOP_CLIENT_SECRET"], "issuer": "{{.Issuer}}"}},
    OIDC_SCOPES="{{.Scope}}",
)
oidc = OpenIDConnect(app)
{{if .PKCE}}oidc.oauth.oidc.client_kwargs["code_challenge_method"] = "S256"{{end}}
