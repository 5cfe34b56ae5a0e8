package identity_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// lostAnswers is a ledger whose every decision ends without an answer, as where
// a connection breaks while it commits.
type lostAnswers struct {
	oauth.Ledger
	written  bool // the decisions are carried out
	readable bool // and what is stored can be read
}

func (l lostAnswers) Decide(ctx context.Context, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) error {
	lost := loop.Errorf(loop.TemporarilyUnavailable, "It may have happened or not.").Because(loop.ErrOutcomeUnknown)
	if l.written {
		_ = l.Ledger.Decide(ctx, subject, decide)
		return lost
	}
	_ = l.Ledger.Decide(ctx, subject, func(st oauth.State) (oauth.Change, error) {
		_, err := decide(st)
		return oauth.Change{}, err
	})
	return lost
}

func (l lostAnswers) Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error) {
	if !l.readable {
		return nil, errors.New("the database cannot be read")
	}
	return l.Ledger.Chain(ctx, member, id)
}

func TestToken_WhereTheOutcomeOfACommitIsUnknown(t *testing.T) {
	t.Parallel()
	type fixture struct {
		*platformtest.Platform
		app           *platformtest.App
		code          string // not yet redeemed, of another member
		first, second string // refresh tokens, the second is good
		lose          func(written, readable bool)
		mend          func()
	}
	// unknown: nobody may simply try again, and nothing is issued.
	unknown := func(t *testing.T, r *platformtest.Response) {
		t.Helper()
		refused(t, r, http.StatusServiceUnavailable, "temporarily_unavailable")
		if r.Header.Get("Retry-After") != "" || r.JSON(t)["retry_after_ms"] != nil {
			t.Errorf("it says when to try again: %v %s", r.Header, r.Text)
		}
	}
	for name, test := range map[string]func(t *testing.T, f *fixture){
		"a refresh that shows as written is answered with its successor": func(t *testing.T, f *fixture) {
			f.lose(true, true)
			third := f.app.Refresh(f.second).Pair(t)
			f.mend()
			if r := f.UserInfo(t, third.Access); r.StatusCode != http.StatusOK {
				t.Errorf("its access token is answered %d", r.StatusCode)
			}
			fourth := f.app.Refresh(third.Refresh).Pair(t)
			refused(t, f.app.Refresh(f.second), http.StatusBadRequest, "invalid_grant")
			refused(t, f.app.Refresh(fourth.Refresh), http.StatusBadRequest, "invalid_grant") // the grant ended
		},
		"a refresh that does not show fails, and its token is as good as before": func(t *testing.T, f *fixture) {
			f.lose(false, true)
			unknown(t, f.app.Refresh(f.second))
			f.mend()
			f.app.Refresh(f.second).Pair(t)
		},
		"a refresh of which nothing can be read fails": func(t *testing.T, f *fixture) {
			f.lose(true, false)
			unknown(t, f.app.Refresh(f.second))
		},
		"a retry within grace fails: another request rotated the token": func(t *testing.T, f *fixture) {
			f.lose(true, true)
			unknown(t, f.app.Refresh(f.first))
		},
		"a re-use is not answered as if all of it were known": func(t *testing.T, f *fixture) {
			f.World.Advance(time.Minute)
			f.lose(true, true)
			unknown(t, f.app.Refresh(f.first))
			f.mend()
			refused(t, f.app.Refresh(f.second), http.StatusBadRequest, "invalid_grant") // the grant ended
		},
		"a code that shows as redeemed is answered with its tokens": func(t *testing.T, f *fixture) {
			f.lose(true, true)
			tokens := f.app.Redeem(f.code).Pair(t)
			f.mend()
			f.app.Refresh(tokens.Refresh).Pair(t)
		},
		"a code that does not show as redeemed fails, and can be redeemed": func(t *testing.T, f *fixture) {
			f.lose(false, true)
			unknown(t, f.app.Redeem(f.code))
			f.mend()
			f.app.Redeem(f.code).Pair(t)
		},
		"a code that was redeemed before is not answered with tokens": func(t *testing.T, f *fixture) {
			f.app.Redeem(f.code).Pair(t)
			f.lose(true, true)
			unknown(t, f.app.Redeem(f.code))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := platformtest.New(t)
			ledger := p.OAuth.Ledger
			f := &fixture{
				Platform: p, app: p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second }),
				lose: func(written, readable bool) { p.OAuth.Ledger = lostAnswers{ledger, written, readable} },
				mend: func() { p.OAuth.Ledger = ledger },
			}
			f.code = f.app.Code(p.NewBrowser(t), p.AddMember(t, "Ben"))
			f.first = f.app.Redeem(f.app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t).Refresh
			f.second = f.app.Refresh(f.first).Pair(t).Refresh
			test(t, f)
		})
	}
}
