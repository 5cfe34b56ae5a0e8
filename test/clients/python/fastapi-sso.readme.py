Loop = create_provider(name="loop", response_convertor=to_openid, discovery_document={
    "authorization_endpoint": "{{.Issuer}}/v1/oauth/authorize",
    "token_endpoint": "{{.Issuer}}/v1/oauth/token",
    "userinfo_endpoint": "{{.Issuer}}/v1/oauth/userinfo",
})
{{if .PKCE}}Loop.uses_pkce = True{{end}}
