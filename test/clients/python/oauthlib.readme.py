client = WebApplicationClient("{{.ClientID}}")
session["state"] = secrets.token_urlsafe()
{{if .PKCE}}session["verifier"] = client.create_code_verifier(64){{end}}
url = client.prepare_request_uri(
    "{{.Issuer}}/v1/oauth/authorize", redirect_uri="{{.RedirectURI}}", scope="{{.Scope}}".split(), state=session["state"],
    {{if .PKCE}}code_challenge=client.create_code_challenge(session["verifier"], "S256"), code_challenge_method="S256",{{end}}
)
