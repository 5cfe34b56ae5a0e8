package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Logout is a logout token on its way to an app whose member's session has ended
// (OpenID Connect Back-Channel Logout §2.5): one for each client and session.
type Logout struct {
	Client   loop.ClientID
	Session  loop.SessionID
	Member   loop.MemberID
	Attempts int
	DueAt    time.Time // zero: delivered, or given up
}

// Logouts keeps what has to be delivered. The act that ends a session puts there
// what it brings about.
type Logouts interface {
	// DueLogouts reads what is due, the oldest first, at most so many.
	DueLogouts(ctx context.Context, limit int) ([]Logout, error)
	// SettleLogout writes what became of an attempt, with its record, if any.
	SettleLogout(ctx context.Context, logout Logout, records []audit.Record) error
}

// Poster sends documents to the outside.
type Poster interface {
	// Post sends a body and gives the status of the answer.
	Post(ctx context.Context, address, contentType string, body []byte) (status int, err error)
}

// logoutRetries are the waits between attempts; after the last there is none.
var logoutRetries = []time.Duration{
	10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// logoutBatch is how many deliveries one round takes up.
const logoutBatch = 50

// DeliverLogouts delivers what is due and says how much that was. What fails is
// due again later; what can't be delivered within a day is given up, on record.
func (s *Server) DeliverLogouts(ctx context.Context, by Poster) (int, error) {
	due, err := s.Logouts.DueLogouts(ctx, logoutBatch)
	if err != nil {
		return 0, err
	}
	faults := make([]error, len(due))
	var attempts sync.WaitGroup // one app that is slow must not keep others waiting
	for i, logout := range due {
		attempts.Go(func() { faults[i] = s.deliverLogout(ctx, by, logout) })
	}
	attempts.Wait()
	return len(due), errors.Join(faults...)
}

func (s *Server) deliverLogout(ctx context.Context, by Poster, logout Logout) error {
	client, err := s.clientByID(ctx, logout.Client)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	if client == nil || !client.Enabled || client.Protocol.BackchannelLogoutURI == "" {
		logout.DueAt = time.Time{} // nobody is left to be told
		return s.Logouts.SettleLogout(ctx, logout, nil)
	}
	logout.Attempts++
	rec := audit.Record{
		At: s.World.Now(), Event: audit.LogoutDelivered, Actor: audit.Actor{Kind: audit.BySystem},
		Client: logout.Client, Member: logout.Member, Detail: audit.Detail{"session": string(logout.Session), "attempts": strconv.Itoa(logout.Attempts)},
	}
	switch sent := s.sendLogout(ctx, by, client, logout); {
	case sent == nil:
		logout.DueAt = time.Time{}
		return s.Logouts.SettleLogout(ctx, logout, []audit.Record{rec})
	case logout.Attempts > len(logoutRetries):
		logout.DueAt, rec.Event = time.Time{}, audit.LogoutUndelivered
		return s.Logouts.SettleLogout(ctx, logout, []audit.Record{rec})
	default:
		s.Log.WarnContext(ctx, "a logout was not delivered and is sent again", "client_id", logout.Client, "attempts", logout.Attempts, "cause", sent)
		logout.DueAt = s.World.Now().Add(logoutRetries[logout.Attempts-1])
		return s.Logouts.SettleLogout(ctx, logout, nil)
	}
}

// logoutEvent names what a logout token tells (OpenID Connect Back-Channel
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

// sendLogout makes one attempt.
func (s *Server) sendLogout(ctx context.Context, by Poster, client *loop.Client, logout Logout) error {
	now := s.World.Now()
	body, err := json.Marshal(logoutClaims{
		Issuer: s.Issuer, Audience: string(client.ID), Subject: string(logout.Member), Session: string(logout.Session),
		IssuedAt: now.Unix(), Expiry: now.Add(logoutTokenLife).Unix(), ID: string(loop.NewTokenID(s.World)),
		Events: map[string]struct{}{logoutEvent: {}},
	})
	if err != nil {
		return fmt.Errorf("encoding a logout token: %w", err)
	}
	token, err := s.sign(client.Protocol.IDTokenAlgorithm, "logout+jwt", body)
	if err != nil {
		return err
	}
	form := url.Values{"logout_token": {token}}.Encode()
	status, err := by.Post(ctx, client.Protocol.BackchannelLogoutURI, "application/x-www-form-urlencoded", []byte(form))
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("the app answered %d", status)
	}
	return nil
}
