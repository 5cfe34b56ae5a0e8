SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [{
    "provider_id": "loop", "name": "Loop",
    "client_id": "{{.ClientID}}", "secret": os.environ["LOOP_CLIENT_SECRET"],
    "settings": {"server_url": "{{.Issuer}}/.well-known/openid-configuration"{{if .PKCE}}, "oauth_pkce_enabled": True{{end}}},
}]}}
