loop = OAuth2Session("{{.ClientID}}", redirect_uri="{{.RedirectURI}}", scope="{{.Scope}}".split(){{if .PKCE}}, pkce="S256"{{end}})
url, state = loop.authorization_url("{{.Issuer}}/v1/oauth/authorize")
session["state"] = state
{{if .PKCE}}session["verifier"] = loop._code_verifier{{end}}
