const loop = new UserManager({
  authority: "{{.Issuer}}", client_id: "{{.ClientID}}",
  redirect_uri: "{{.RedirectURI}}", scope: "{{.Scope}}",
});
