{{if .PKCE}}session["verifier"] = secrets.token_urlsafe(48)
challenge = base64.urlsafe_b64encode(hashlib.sha256(session["verifier"].encode()).digest()).rstrip(b"=").decode()
{{end}}url = await client.get_authorization_url(
    "{{.RedirectURI}}", scope="{{.Scope}}".split(),
    {{if .PKCE}}code_challenge=challenge, code_challenge_method="S256",{{end}}
)
