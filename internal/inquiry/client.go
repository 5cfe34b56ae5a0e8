package inquiry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

// Memory keeps what was learned of clients until somebody changes them.
type Memory interface {
	// ClientFrom gives the client that is held, else what read reads.
	ClientFrom(id loop.ClientID, read func() (*loop.Client, error)) (*loop.Client, error)
}

// Client asks identity. It is safe for concurrent use.
type Client struct {
	asker
	memory Memory
}

// asker asks one host.
type asker struct {
	host  *url.URL
	http  *http.Client
	world loop.World
	proof proof
}

// NewClient makes a client of the identity at an address.
func NewClient(identity *url.URL, client *http.Client, memory Memory, w loop.World, ring *credential.Ring) *Client {
	return &Client{asker{identity, client, w, newProof(ring)}, memory}
}

// Person gives the member's recorded sex and birth date, as they are now and as far as
// they are known (clinical.Members).
func (c *Client) Person(ctx context.Context, id loop.MemberID) (biomarker.Person, error) {
	var answer memberAnswer
	err := c.ask(ctx, membersPath, string(id), &answer)
	return biomarker.Person{Sex: answer.Sex, BornOn: answer.BornOn}, err
}

// Name gives the member's name, which a read of lab results does not need
// (clinical.Members).
func (c *Client) Name(ctx context.Context, id loop.MemberID) (string, error) {
	var answer nameAnswer
	err := c.ask(ctx, namesPath, string(id), &answer)
	return answer.Name, err
}

// Client gives an app's name and what decides on its limits and origins, and nothing
// else of it (web.Clients). The name is empty where an older identity answers.
func (c *Client) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return c.memory.ClientFrom(id, func() (*loop.Client, error) {
		var answer clientAnswer
		if err := c.ask(ctx, clientsPath, string(id), &answer); err != nil {
			return nil, err
		}
		return &loop.Client{ID: id, Name: answer.Name, Type: answer.Type, Mode: answer.Mode, Protocol: loop.Protocol{RateLimits: answer.RateLimits, AllowedOrigins: answer.Origins}}, nil
	})
}

// HasOrigin reports whether an enabled app registered the origin; where identity does
// not answer, none has.
func (c *Client) HasOrigin(ctx context.Context, origin string) bool {
	var answer originAnswer
	err := c.ask(ctx, originsPath, base64.RawURLEncoding.EncodeToString([]byte(origin)), &answer)
	return err == nil && answer.Registered
}

func (a *asker) ask(ctx context.Context, path, id string, answer any) error {
	address := a.host.JoinPath(path, url.PathEscape(id))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return err
	}
	return a.send(r, nil, answer)
}

// send sends a question with this body and reads its answer.
func (a *asker) send(r *http.Request, body []byte, answer any) error {
	a.proof.sign(r, body, a.world.Now())
	response, err := a.http.Do(r) //nolint:gosec // G704: the host is the configured one; what is asked about is a part of the path, escaped
	if err != nil {
		return fmt.Errorf("asking %s: %w", a.host.Host, err)
	}
	defer response.Body.Close() //nolint:errcheck // reading
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking %s: it answers %s", a.host.Host, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("asking %s: %w", a.host.Host, err)
	}
	return nil
}
