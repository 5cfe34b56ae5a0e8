// Command serve runs the quickstart with the settings of `.loop/dev.env`:
//
//	. .loop/dev.env && go run ./examples/quickstart/serve
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/loop-health/loop/examples/quickstart"
)

func main() {
	config := quickstart.Config{
		IdentityURL:  os.Getenv("LOOP_IDENTITY_URL"),
		ClinicalURL:  os.Getenv("LOOP_CLINICAL_URL"),
		ClientID:     os.Getenv("LOOP_CLIENT_ID"),
		ClientSecret: os.Getenv("LOOP_CLIENT_SECRET"),
		RedirectURI:  os.Getenv("LOOP_REDIRECT_URI"),
	}
	redirectURI, err := url.Parse(config.RedirectURI)
	if err != nil || redirectURI.Port() == "" {
		fail("LOOP_REDIRECT_URI is missing or has no port: run `. .loop/dev.env` first")
	}
	handler, err := quickstart.New(config)
	if err != nil {
		fail(err)
	}
	server := &http.Server{
		Addr:              "localhost:" + redirectURI.Port(),
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
	}
	fmt.Printf("open http://localhost:%s/login\n", redirectURI.Port())
	fail(server.ListenAndServe())
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
