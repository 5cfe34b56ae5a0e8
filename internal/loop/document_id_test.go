package loop

import "testing"

func TestClientID_FromDocument(t *testing.T) {
	t.Parallel()
	for id, host := range map[ClientID]string{
		"https://app.example.com/client.json":         "app.example.com",
		"https://app.example.com:8443/oauth/client":   "app.example.com:8443",
		"https://app.example.com/client?v=2":          "app.example.com",
		"http://localhost:3000/client.json":           "localhost:3000",
		"http://127.0.0.1:3000/client.json":           "127.0.0.1:3000",
		"http://[::1]:3000/client.json":               "[::1]:3000",
		"https://xn--bcher-kva.example/client.json":   "xn--bcher-kva.example",
		"https://app.example.com/a%2Fb/..client.json": "app.example.com",
	} {
		if !id.FromDocument() || !id.Valid() || id.DocumentHost() != host {
			t.Errorf("%s is refused, or its host is %q", id, id.DocumentHost())
		}
	}
	for _, id := range []ClientID{
		"", "client_01HXY00000000000000000000Z", "https://", "https://app.example.com", "https://app.example.com/", "https:///client.json",
		"HTTPS://app.example.com/client.json", "https://APP.example.com/client.json", "http://app.example.com/client.json", "ftp://app.example.com/client.json",
		"https://app.example.com/client.json#x", "https://app.example.com/client.json#", "https://u@app.example.com/c", "https://u:p@app.example.com/c", "https://@app.example.com/c",
		"https://app.example.com/a/../client.json", "https://app.example.com/./client.json", "https://app.example.com/%2e%2e/client.json", "https://app.example.com/a/%2E",
		"https://app.example.com:/client.json", "https://app.example.com:0/client.json", "https://app.example.com:99999/client.json",
		"https://app.example.com/client json", "https://app.example.com/client\n", "https://app.example.com\\@evil.example/c", "https://аpp.example.com/c", "https:app.example.com/c",
		ClientID("https://app.example.com/" + string(make([]byte, 600))), "javascript://app.example.com/c",
	} {
		if id.FromDocument() || id.DocumentHost() != "" {
			t.Errorf("%q is taken for the address of a document", id)
		}
	}
}

func TestClient_Registered_RFC8252_7_3_OfClientsThatNobodyRegisteredLocalhostToo(t *testing.T) {
	t.Parallel()
	c := &Client{RedirectURIs: []RedirectURI{"http://localhost/callback", "http://localhost:5000/fixed", "http://127.0.0.1/cb"}}
	for _, by := range []Registrar{RegisteredByPeople, RegisteredByDocument, RegisteredByItself} {
		c.Registration.By = by
		for uri, want := range map[RedirectURI]bool{
			"http://localhost/callback": true, "http://127.0.0.1:9/cb": true, "http://localhost:5000/fixed": true,
			"http://localhost:1/callback": by != RegisteredByPeople, "http://localhost:65535/callback": by != RegisteredByPeople,
			"http://localhost:5001/fixed": false, "http://localhost:/callback": false, "http://localhost:99999/callback": false, "http://localhost:01/callback": false,
			"http://localhost:9@evil.example/callback": false, "http://localhost.evil.example/callback": false, "http://localhostevil:9/callback": false,
			"https://localhost:9/callback": false, "http://127.0.0.1:9/callback": false, "http://localhost:9/callback?x=1": false, "http://localhost:9/callback/": false,
		} {
			if got := c.Registered(uri); got != want {
				t.Errorf("registered by %q: %s is %t", by, uri, got)
			}
		}
	}
}
