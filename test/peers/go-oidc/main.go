// Command go-oidc is an app on github.com/coreos/go-oidc and golang.org/x/oauth2;
// peers_test.go says what it reads and what it prints.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	if err := run(context.Background(), os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type settings struct {
	Issuer       string `json:"issuer"`
	Clinical     string `json:"clinical"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RedirectURI  string `json:"redirect_uri"`
	Scope        string `json:"scope"`
}

type app struct {
	settings settings
	provider *oidc.Provider
	oauth    oauth2.Config
}

func run(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var a app
	if err := json.Unmarshal(text, &a.settings); err != nil {
		return err
	}
	if a.provider, err = oidc.NewProvider(ctx, a.settings.Issuer); err != nil {
		return err
	}
	a.oauth = oauth2.Config{
		ClientID: a.settings.ClientID, ClientSecret: a.settings.ClientSecret, RedirectURL: a.settings.RedirectURI,
		Endpoint: a.provider.Endpoint(), Scopes: strings.Fields(a.settings.Scope),
	}
	return a.journey(ctx)
}

func (a *app) journey(ctx context.Context) error {
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	fmt.Println(a.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	back, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	if answer := back.Query(); answer.Get("state") != state || answer.Get("iss") != a.settings.Issuer {
		return fmt.Errorf("the answer belongs to another request: %s", answer)
	}
	token, err := a.oauth.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return err
	}
	got, err := a.identify(ctx, token, nonce)
	if err != nil {
		return err
	}
	if got["first"], err = a.read(ctx, token); err != nil {
		return err
	}
	refreshed, err := a.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		return err
	}
	if got["refreshed"], err = a.read(ctx, refreshed); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}

// identify verifies the ID token and asks userinfo.
func (a *app) identify(ctx context.Context, token *oauth2.Token, nonce string) (map[string]any, error) {
	raw, _ := token.Extra("id_token").(string)
	verified, err := a.provider.Verifier(&oidc.Config{ClientID: a.settings.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, err
	}
	if verified.Nonce != nonce {
		return nil, errors.New("the ID token was made for another request")
	}
	info, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	var claims, userInfo map[string]any
	if err := errors.Join(verified.Claims(&claims), info.Claims(&userInfo)); err != nil {
		return nil, err
	}
	return map[string]any{"claims": claims, "userinfo": userInfo}, nil
}

// read gives the tokens and how many lab results they open.
func (a *app) read(ctx context.Context, token *oauth2.Token) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.settings.Clinical+"/v1/biomarkers/me", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := a.oauth.Client(ctx, token).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var page struct {
		Biomarkers []json.RawMessage `json:"biomarkers"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return nil, err
	}
	return map[string]any{
		"access_token": token.AccessToken, "refresh_token": token.RefreshToken, "id_token": token.Extra("id_token"),
		"token_type": token.Type(), "scope": token.Extra("scope"), "biomarkers": len(page.Biomarkers),
	}, nil
}
