// Package connecttest is the whole of Loop within a test: its servers on loopback, its
// pages, members with lab results, a clock that the test moves, and faults. An app's
// tests meet what the app meets in production, and nothing leaves the machine.
//
//	loop := connecttest.New(t)
//	ada := loop.AddMember(t, "Ada")
//	client, err := connect.New(loop.NewApp(t, "http://localhost:5000/callback"))
//	loop.Connect(t, client, ada)              // signs in, and allows it
//	loop.Clock.Advance(91 * 24 * time.Hour)   // nobody came for so long
//	_, err = client.Tokens(ctx, ada.ID)       // connect.ErrReconnect
//
// It is a module of its own: only an app's tests need the platform.
package connecttest
