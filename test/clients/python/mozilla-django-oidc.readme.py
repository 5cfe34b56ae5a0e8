OIDC_RP_CLIENT_ID = "{{.ClientID}}"
OIDC_RP_CLIENT_SECRET = os.environ["LOOP_CLIENT_SECRET"]
OIDC_RP_SCOPES = "{{.Scope}}"
OIDC_OP_AUTHORIZATION_ENDPOINT = "{{.Issuer}}/v1/oauth/authorize"
OIDC_OP_TOKEN_ENDPOINT = "{{.Issuer}}/v1/oauth/token"
OIDC_OP_USER_ENDPOINT = "{{.Issuer}}/v1/oauth/userinfo"
{{if .PKCE}}OIDC_USE_PKCE = True{{end}}
