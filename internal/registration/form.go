package registration

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// A browser sends a form twice when its button is pressed twice, and with one that
// is sent again from the history. A form has an id of its own, which is stored in
// the transaction of its act: whichever process the second one comes to, it finds
// that the act is done.

// Form is a form that a developer sent.
type Form struct {
	Hash      [32]byte      // of its id, its sender and its act
	Content   [32]byte      // hash of what it said
	Client    loop.ClientID // that its act was about
	SentAt    time.Time
	ExpiresAt time.Time // from then on, it is not taken any more, and can be forgotten
}

// Terms are what has to hold when a change is written, and what is written with it.
type Terms struct {
	Form   *Form // it was not sent before; nil: no form
	AtMost int   // the owner has fewer clients than that; 0: however many
	// Messages are those that the change brings about, of the client as it is written;
	// nil: none.
	Messages func(*loop.Client) []outbox.Message
}

// What does not hold.
var (
	ErrSentBefore = errors.New("the form was sent before, and its act is done")
	ErrTooMany    = errors.New("the owner has as many clients as one can have")
)

// Sent gives the acts of a form that was sent: each does its work once for a form,
// and is ErrSentBefore for one that was sent before. A secret that is made is the
// form's.
func (r *Clients) Sent(form Form, secret credential.Secret, by audit.Actor) Sent {
	return Sent{r, act{by: by, form: &form, secret: secret}}
}

// Sent is the acts of a form.
type Sent struct {
	clients *Clients
	act     act
}

// MaxApps is how many apps a developer may have.
const MaxApps = 50

// Create is Clients.Create; ErrTooMany where the owner has MaxApps already.
func (s Sent) Create(ctx context.Context, c *loop.Client) error {
	s.act.atMost = MaxApps
	_, err := s.clients.create(ctx, c, s.act)
	return err
}

// Update is Clients.Update.
func (s Sent) Update(ctx context.Context, id loop.ClientID, alter func(*loop.Client)) error {
	_, err := s.clients.update(ctx, id, s.act, alter)
	return err
}

// SetEnabled is Clients.SetEnabled.
func (s Sent) SetEnabled(ctx context.Context, id loop.ClientID, enabled bool) error {
	_, err := s.clients.setEnabled(ctx, id, s.act, enabled)
	return err
}

// RotateSecret is Clients.RotateSecret.
func (s Sent) RotateSecret(ctx context.Context, id loop.ClientID) error {
	_, err := s.clients.rotateSecret(ctx, id, s.act)
	return err
}

// AddWebhook is Clients.AddWebhook.
func (s Sent) AddWebhook(ctx context.Context, id loop.ClientID, url string, events []loop.EventType) (*loop.Webhook, error) {
	return s.clients.addWebhook(ctx, id, s.act, url, events)
}

// ChangeWebhook is Clients.ChangeWebhook.
func (s Sent) ChangeWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, alter func(*loop.Webhook)) error {
	_, err := s.clients.changeWebhook(ctx, id, hook, s.act, audit.WebhookChanged, alter)
	return err
}

// RotateWebhookSecret is Clients.RotateWebhookSecret.
func (s Sent) RotateWebhookSecret(ctx context.Context, id loop.ClientID, hook loop.WebhookID) error {
	_, err := s.clients.rotateWebhookSecret(ctx, id, hook, s.act)
	return err
}

// DeleteWebhook is Clients.DeleteWebhook.
func (s Sent) DeleteWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID) error {
	return s.clients.deleteWebhook(ctx, id, hook, s.act)
}

// TestWebhook is Clients.TestWebhook.
func (s Sent) TestWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID) (loop.DeliveryID, error) {
	return s.clients.testWebhook(ctx, id, hook, s.act)
}

// act is who changes a client, and on which terms.
type act struct {
	by     audit.Actor
	form   *Form
	secret credential.Secret // that the form makes, if it makes one
	atMost int
	// messages are those that it brings about, of the client as it is written; nil: none.
	messages func(*loop.Client) []outbox.Message

	byDeveloper bool // what is changed came from a developer, whoever changes it
}

func (a act) newSecret(w loop.World) credential.Secret {
	if a.form != nil {
		return a.secret
	}
	return credential.NewSecret(w, credential.ClientSecretPrefix)
}

func (a act) terms(id loop.ClientID, now time.Time) Terms {
	if a.form != nil {
		a.form.Client, a.form.SentAt = id, now
	}
	return Terms{Form: a.form, AtMost: a.atMost}
}
