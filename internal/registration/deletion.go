package registration

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// Delete takes a client away for good: its tokens end at once, then every member's
// consent to it, and its id is of nobody any more. What members' records say of it stays.
// Where it fails half way, doing it again ends the rest. Loop's own
// portal can't be deleted, since the next start would make it anew: ValidationError;
// NotFound where there is no such client.
func (r *Clients) Delete(ctx context.Context, id loop.ClientID, by audit.Actor) error {
	c, err := r.Store.Client(ctx, id)
	if err == nil && c.FirstParty {
		return loop.Errorf(loop.ValidationError, "This app is Loop's own. Disable it where nobody is to use it.").About("is_first_party")
	}
	if err == nil {
		defer r.origins.forget()
		rec := audit.NewRecord(ctx, r.World.Now(), audit.ClientDeleted, by)
		rec.Client = id
		err = r.Store.DeleteClient(ctx, id, oauth.NewRevocation(r.World, loop.RevokeClient, string(id)), rec)
	}
	if err == nil || errors.Is(err, loop.ErrNotFound) {
		if fault := r.Store.EndGivenTo(ctx, id, r.World.Now()); fault != nil {
			return fault
		}
	}
	if errors.Is(err, loop.ErrNotFound) {
		return errNoClient
	}
	return err
}

// errNoClient is the answer where a client is not there.
var errNoClient = loop.Errorf(loop.NotFound, "There is no client with this id.")
