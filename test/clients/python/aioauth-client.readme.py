{{if .PKCE}}session["verifier"] = secrets.token_urlsafe(48)
challenge = base64.urlsafe_b64encode(hashlib.sha256(session["verifier"].encode()).digest()).rstrip(b"=").decode()
{{end}}url = client.get_authorize_url(
    redirect_uri="{{.RedirectURI}}", scope="{{.Scope}}",
    {{if .PKCE}}code_challenge=challenge, code_challenge_method="S256",{{end}}
)
