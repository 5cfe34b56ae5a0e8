client = Client(client_id="{{.ClientID}}", client_authn_method=CLIENT_AUTHN_METHOD{{if .PKCE}}, config={"code_challenge": {"method": "S256", "length": 64}}{{end}})
client.provider_config("{{.Issuer}}")
client.store_registration_info(RegistrationResponse(client_id="{{.ClientID}}", client_secret=os.environ["LOOP_CLIENT_SECRET"]))
session["state"] = secrets.token_urlsafe()
asked = {
    "response_type": "code", "scope": "{{.Scope}}".split(), "redirect_uri": "{{.RedirectURI}}",
    "client_id": "{{.ClientID}}", "state": session["state"], "nonce": secrets.token_urlsafe(),
}
{{if .PKCE}}challenge, verifier = client.add_code_challenge()
asked.update(challenge){{else}}verifier = None{{end}}
url = client.construct_AuthorizationRequest(request_args=asked).request(client.authorization_endpoint)
