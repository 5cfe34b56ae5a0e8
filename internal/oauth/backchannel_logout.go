package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Logouts sends logout tokens to the apps of sessions that have ended (OpenID Connect
// Back-Channel Logout §2.5): one for each app and session.
type Logouts struct {
	Server   *Server // whose tokens they are
	Outgoing Poster
}

// Poster sends documents to the outside.
type Poster interface {
	// Post sends a body and gives the status of the answer.
	Post(ctx context.Context, address, contentType string, body []byte) (status int, err error)
}

// logoutKind is the kind of their messages.
const logoutKind outbox.Kind = "logout"

// logout is what a message says; its destination is the app.
type logout struct {
	Member  loop.MemberID  `json:"member"`
	Session loop.SessionID `json:"session"`
}

// SessionEnded gives a message for each app that hears of a session's end
// (outbox.OnSessionEnd). Its id keeps a second one from being written.
func (l *Logouts) SessionEnded(ended loop.EndedSession) []outbox.Message {
	payload, _ := json.Marshal(logout{ended.Member, ended.ID}) // two texts: it can't fail
	messages := make([]outbox.Message, len(ended.Apps))
	for i, app := range ended.Apps {
		messages[i] = outbox.Message{
			ID: "logout/" + string(app) + "/" + string(ended.ID), Kind: logoutKind, Destination: string(app),
			Payload: payload, DueAt: l.Server.World.Now(),
		}
	}
	return messages
}

// Kind is the kind of logouts (outbox.Deliverer).
func (*Logouts) Kind() outbox.Kind { return logoutKind }

// Policy is how logouts are sent (outbox.Deliverer): for a day, and four at a time to
// one app.
func (*Logouts) Policy() outbox.Policy {
	return outbox.Policy{
		Retries: []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour},
		Timeout: 30 * time.Second, AtOnce: 50, PerDestination: 4,
	}
}

// Deliver makes one attempt, with a token of its own (outbox.Deliverer). An app that
// does not work or takes no logout tokens any more receives none.
func (l *Logouts) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	client, err := l.Server.clientByID(ctx, loop.ClientID(delivery.Destination))
	if errors.Is(err, loop.ErrNotFound) || err == nil && (client.Standing() != loop.Works || client.Protocol.BackchannelLogoutURI == "") {
		return outbox.ErrObsolete
	}
	if err != nil {
		return err
	}
	var says logout
	if err := json.Unmarshal(delivery.Payload, &says); err != nil {
		return fmt.Errorf("reading a logout: %w", err)
	}
	token, err := l.Server.Minter.logoutToken(client, says)
	if err != nil {
		return err
	}
	form := url.Values{"logout_token": {token}}.Encode()
	status, err := l.Outgoing.Post(ctx, client.Protocol.BackchannelLogoutURI, "application/x-www-form-urlencoded", []byte(form))
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("the app answered %d", status)
	}
	return err
}

// Records is one record of a logout that was delivered or given up (outbox.Deliverer).
func (l *Logouts) Records(delivery outbox.Delivery) []audit.Record {
	event := audit.LogoutDelivered
	switch delivery.Outcome {
	case outbox.Obsolete:
		return nil
	case outbox.GivenUp:
		event = audit.LogoutUndelivered
	}
	var said logout
	_ = json.Unmarshal(delivery.Payload, &said) // what can't be read was given up, and is recorded without names
	return []audit.Record{{
		At: l.Server.World.Now(), Event: event, Actor: audit.Actor{Kind: audit.BySystem}, Client: loop.ClientID(delivery.Destination), Member: said.Member,
		Detail: audit.Detail{"session": string(said.Session), "attempts": strconv.Itoa(delivery.Attempts)},
	}}
}

// logoutEvent names what a logout token says (OpenID Connect Back-Channel
// Logout §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutTokenLife is short: a logout token is made for each attempt.
const logoutTokenLife = 2 * time.Minute

type logoutClaims struct {
	Issuer   string              `json:"iss"`
	Audience string              `json:"aud"`
	Subject  string              `json:"sub"`
	Session  string              `json:"sid"`
	IssuedAt int64               `json:"iat"`
	Expiry   int64               `json:"exp"`
	ID       string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
}

// logoutToken signs a logout token for a client.
func (m *Minter) logoutToken(client *loop.Client, says logout) (string, error) {
	now := m.World.Now()
	body, err := json.Marshal(logoutClaims{
		Issuer: m.Issuer, Audience: string(client.ID), Subject: string(says.Member), Session: string(says.Session),
		IssuedAt: now.Unix(), Expiry: now.Add(logoutTokenLife).Unix(), ID: string(loop.NewTokenID(m.World)),
		Events: map[string]struct{}{logoutEvent: {}},
	})
	if err != nil {
		return "", fmt.Errorf("encoding a logout token: %w", err)
	}
	return m.sign(client.Protocol.IDTokenAlgorithm, "logout+jwt", body)
}
