// Package connect is how a Go app reaches its members' Loop health data: it signs a
// member in, keeps their tokens, and reads with them.
//
//	loop, err := connect.New(connect.Config{
//		Issuer:       os.Getenv("LOOP_IDENTITY_URL"),
//		API:          os.Getenv("LOOP_CLINICAL_URL"),
//		ClientID:     os.Getenv("LOOP_CLIENT_ID"),
//		ClientSecret: connect.Secret(os.Getenv("LOOP_CLIENT_SECRET")),
//		RedirectURL:  os.Getenv("LOOP_REDIRECT_URI"),
//	})
//	mux.Handle("GET /login", loop.LoginHandler())
//	mux.Handle("GET /callback", loop.CallbackHandler())
//
//	member, err := loop.Session(r)                      // who is signed in
//	for result, err := range loop.For(member).Biomarkers.All(ctx, connect.BiomarkerQuery{}) { … }
//
// What an app would otherwise have to get right by itself, it does: PKCE, state,
// nonce and issuer are checked, each refresh token is used once by all processes of
// the app together and its successor is kept before it is used, requests are repeated
// where that is safe and only there, and nothing that is printed or logged shows a
// secret.
//
// Give Config a Store that lasts (NewSQLStore, NewFileStore) and Keys that all
// processes share; without them members connect again after each restart.
package connect
