// node-oidc-provider as it comes, for `go run ./bench --peers`: everything in
// memory, its own pages for sign-in and consent.
//
//   node server.js PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI
import { Provider } from 'oidc-provider'

const [port, clientID, clientSecret, redirectURI] = process.argv.slice(2)

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: clientID,
    client_secret: clientSecret,
    redirect_uris: [redirectURI],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_post'
  }],
  features: { introspection: { enabled: true } },
  issueRefreshToken: () => true,
  rotateRefreshToken: true
})

const server = provider.listen(Number(port), '127.0.0.1')
server.keepAliveTimeout = 0 // the load generator keeps its connections
