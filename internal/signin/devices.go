package signin

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Ending says which of a member's sessions end.
type Ending struct {
	Member loop.MemberID
	Only   loop.SessionID // that one; empty: all
	But    loop.SessionID // not that one; empty: no exception
}

// Sessions lists a member's live sessions, the one that was used last first.
func (a *Authenticator) Sessions(ctx context.Context, m *loop.Member) ([]Session, error) {
	all, err := a.Store.Sessions(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	now, live := a.World.Now(), all[:0]
	for _, session := range all {
		if session.live(now) {
			live = append(live, session)
		}
	}
	return live, nil
}

// EndOne ends a session of the member; one that is gone stays gone.
func (a *Authenticator) EndOne(ctx context.Context, m *loop.Member, id loop.SessionID) error {
	if id == "" {
		return loop.Errorf(loop.InvalidRequest, "This form does not say which session to end. Go back and try again.")
	}
	return a.end(ctx, Ending{Member: m.ID, Only: id}, audit.Actor{Kind: audit.ByMember, ID: string(m.ID)})
}

// EndOthers ends all sessions of the member but the one that they act in.
func (a *Authenticator) EndOthers(ctx context.Context, signIn *loop.SignIn) error {
	return a.end(ctx, Ending{Member: signIn.Member.ID, But: signIn.Session}, audit.Actor{Kind: audit.ByMember, ID: string(signIn.Member.ID)})
}

// EndFor ends all sessions of a member, or with an id that one, on behalf of somebody
// else; one that is gone stays gone.
func (a *Authenticator) EndFor(ctx context.Context, m loop.MemberID, only loop.SessionID, by audit.Actor) error {
	return a.end(ctx, Ending{Member: m, Only: only}, by)
}

func (a *Authenticator) end(ctx context.Context, ending Ending, by audit.Actor) error {
	rec := audit.NewRecord(ctx, a.World.Now(), audit.SessionsEnded, by)
	rec.Member = ending.Member
	rec.Detail = audit.Detail{"session": string(ending.Only), "kept": string(ending.But)}
	return a.Store.EndSessions(ctx, ending, a.OnSessionEnd, rec)
}
