app.use(auth({
  issuerBaseURL: "{{.Issuer}}", baseURL: process.env.BASE_URL, secret: process.env.SESSION_SECRET,
  clientID: "{{.ClientID}}", idpLogout: true,
}));
