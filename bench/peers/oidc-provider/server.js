// node-oidc-provider as it comes, for `go run ./bench --peers`: everything in
// memory, its own pages for sign-in and consent.
//
//   node server.js PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI
import { Provider } from 'oidc-provider'

const [port, clientID, clientSecret, redirectURI] = process.argv.slice(2)

// Its own memory forgets all but the newest thousand entries; this one keeps them.
class Memory {
  static entries = new Map()
  static grants = new Map()
  static uids = new Map()

  constructor (model) { this.model = model }
  key (id) { return `${this.model}:${id}` }

  async upsert (id, payload) {
    Memory.entries.set(this.key(id), payload)
    if (payload.uid) Memory.uids.set(payload.uid, id)
    if (payload.grantId) {
      if (!Memory.grants.has(payload.grantId)) Memory.grants.set(payload.grantId, [])
      Memory.grants.get(payload.grantId).push(this.key(id))
    }
  }

  async find (id) { return Memory.entries.get(this.key(id)) }
  async findByUid (uid) { return this.find(Memory.uids.get(uid)) }
  async consume (id) { Memory.entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1000) }
  async destroy (id) { Memory.entries.delete(this.key(id)) }

  async revokeByGrantId (grantId) {
    for (const key of Memory.grants.get(grantId) ?? []) Memory.entries.delete(key)
    Memory.grants.delete(grantId)
  }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: Memory,
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
