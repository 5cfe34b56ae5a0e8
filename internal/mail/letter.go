package mail

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Text names what a letter says: mail.<text>.subject and so on in package locale.
type Text string

// The letters that bring a link or answer a request for one.
const (
	ResetPassword    Text = "reset"           // a link that sets a new password
	NoAccount        Text = "no_account"      // somebody asked to reset the password of an account that there is not
	ConfirmSignUp    Text = "sign_up"         // a link that makes the account
	HasAccount       Text = "has_account"     // somebody signed up with an address that has an account
	ConfirmAddress   Text = "confirm_address" // a link that makes an address the account's
	AddressTaken     Text = "address_taken"   // an account wants an address that has another
	AddressRequested Text = "address_asked"   // to the present address: another was asked for. Argument: that one
)

// The notices of what happened to an account. Each says what to do for who did not do
// it.
const (
	AddressChanged    Text = "address_changed" // to the address before and to the new one. Arguments: both
	PasswordChanged   Text = "password_changed"
	NewDevice         Text = "new_device"          // a sign-in with a browser that was not known. Argument: the browser
	AppConnected      Text = "app_connected"       // Argument: the app
	AppDisconnected   Text = "app_cut_off"         // because a refresh token came twice. Argument: the app
	PasskeyAdded      Text = "passkey_added"       // Argument: its name
	PasskeyRemoved    Text = "passkey_removed"     // Argument: its name
	FactorAdded       Text = "factor_added"        // codes of an authenticator app are asked for
	FactorRemoved     Text = "factor_removed"      // they are not any more
	RecoveryCodesMade Text = "recovery_codes_made" // those before are good no more
	RecoveryCodeUsed  Text = "recovery_code_used"
	WebhookDisabled   Text = "webhook_disabled" // to an app's developer. Arguments: the app, the address
)

// Letter is what somebody is written.
type Letter struct {
	Text   Text          `json:"text"`
	Member loop.MemberID `json:"member,omitempty"` // whose account it is about; empty: nobody's
	To     loop.Email    `json:"to,omitempty"`     // empty: the member's address when it is sent
	Locale string        `json:"locale,omitempty"` // of the reader, where there is no member
	Args   []string      `json:"args,omitempty"`   // what the text is filled in with; what others chose is shortened
	Link   string        `json:"link,omitempty"`   // path and query on identity's host; empty: the text's own
	At     time.Time     `json:"at"`               // when it happened
	Until  time.Time     `json:"until,omitzero"`   // from then on it is of no use; zero: it always is
}

// Office composes letters. A nil one, where no mail is sent, composes none.
type Office struct {
	Sealer credential.Sealer
	World  loop.World
}

// Kind is the kind of the messages.
const Kind outbox.Kind = "mail"

// destination is the one server that all mail goes to.
const destination = "smtp"

// Compose gives the messages of letters, for the change of the act that they are
// about.
func (o *Office) Compose(letters ...Letter) []outbox.Message {
	if o == nil {
		return nil
	}
	messages := make([]outbox.Message, len(letters))
	for i, letter := range letters {
		if letter.At.IsZero() {
			letter.At = o.World.Now()
		}
		plain, _ := json.Marshal(letter) // texts and times always encode
		messages[i] = outbox.Message{
			ID: "mail/" + string(loop.NewRequestID(o.World)), Kind: Kind, Destination: destination,
			Payload: []byte(o.Sealer.Seal(plain)), DueAt: o.World.Now(),
		}
	}
	return messages
}

// Notice gives the message of a notice to a member about their account: what happened
// now, and what it is filled in with.
func (o *Office) Notice(m loop.MemberID, text Text, args ...string) []outbox.Message {
	return o.Compose(Letter{Text: text, Member: m, Args: args})
}

func (d *Deliverer) open(payload []byte) (Letter, error) {
	var letter Letter
	plain, err := d.Office.Sealer.Open(string(payload))
	if err == nil {
		err = json.Unmarshal(plain, &letter)
	}
	if err != nil {
		return Letter{}, fmt.Errorf("opening a letter: %w", err)
	}
	return letter, nil
}
