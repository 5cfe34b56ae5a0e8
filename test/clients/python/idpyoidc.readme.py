handler = RPHandler(base_url=os.environ["BASE_URL"], client_configs={"loop": {
    "client_type": "oidc", "issuer": "{{.Issuer}}", "client_id": "{{.ClientID}}", "client_secret": os.environ["LOOP_CLIENT_SECRET"],
    "redirect_uris": ["{{.RedirectURI}}"], "response_types_supported": ["code"], "scopes_supported": "{{.Scope}}".split(),
    "request_args": {"scope": "{{.Scope}}".split()},
{{if .PKCE}}
    "add_ons": {"pkce": {"function": "idpyoidc.client.oauth2.add_on.pkce.add_support", "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"}}},{{end}}
}})
