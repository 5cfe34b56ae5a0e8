package clinical

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mcp"
	"github.com/loop-health/loop/internal/web"
)

// How many reads a page has: where nobody says, and at most.
const (
	readsAtOnce = 50
	readsAtMost = 100
)

// readsAnswer is a page of what apps read, as identity's GET /v1/me/grants/{id}/activity
// has it, with the app of each read.
type readsAnswer struct {
	Data []readAnswer `json:"data"`
	Next *string      `json:"next_cursor"`
}

type readAnswer struct {
	At         time.Time     `json:"at"`
	Action     string        `json:"action"`
	Results    int           `json:"results"`
	ClientID   loop.ClientID `json:"client_id"`
	ClientName *string       `json:"client_name"`
}

// readsQuestion is what the tool takes.
type readsQuestion struct {
	ClientID loop.ClientID `json:"client_id"`
	Limit    *int          `json:"limit"`
	Cursor   string        `json:"cursor"`
}

// atMost is how many reads the page has.
func (q readsQuestion) atMost() (int, error) {
	if q.Limit == nil {
		return readsAtOnce, nil
	}
	if *q.Limit < 1 || *q.Limit > readsAtMost {
		return 0, loop.Errorf(loop.ValidationError, "The argument limit must be a whole number from 1 to %d.", readsAtMost)
	}
	return *q.Limit, nil
}

// listReads is the tool that lists what apps read of the member. It leaves no record of
// its own: it gives no health data.
func (h *Host) listReads(ctx context.Context, call mcp.Call[caller]) (mcp.Answer, error) {
	var asked readsQuestion
	if err := readArguments(call.Arguments, &asked); err != nil {
		return mcp.Answer{}, err
	}
	if asked.ClientID != "" && !asked.ClientID.Valid() {
		return mcp.Answer{}, loop.Errorf(loop.ValidationError, "The argument client_id is no app's id. Send one that this tool gave, or leave it out.")
	}
	atMost, err := asked.atMost()
	if err != nil {
		return mcp.Answer{}, err
	}
	after, err := connection.ParseReadPlace(asked.Cursor)
	if err != nil {
		return mcp.Answer{}, err
	}
	page, err := connection.ListPage(ctx, h.Reads, call.Caller.token.Member, asked.ClientID, after, atMost)
	if err != nil {
		return mcp.Answer{}, web.Unavailable(err)
	}
	answer := h.newReadsAnswer(ctx, page)
	structured, err := json.Marshal(answer)
	return mcp.Answer{Structured: structured, Text: answer.inWords()}, err
}

func (h *Host) newReadsAnswer(ctx context.Context, page connection.Page) readsAnswer {
	answer := readsAnswer{Data: make([]readAnswer, len(page.Reads))}
	names := make(map[loop.ClientID]*string)
	for i := range page.Reads {
		r := &page.Reads[i]
		if _, known := names[r.Client]; !known {
			names[r.Client] = h.nameOf(ctx, r.Client)
		}
		answer.Data[i] = readAnswer{r.At().UTC(), string(audit.BiomarkersRead), r.Count, r.Client, names[r.Client]}
	}
	if next := page.Next.String(); next != "" {
		answer.Next = &next
	}
	return answer
}

// nameOf gives an app's name; nil where it has been deleted, or identity does not
// answer: who read what is worth more than a name.
func (h *Host) nameOf(ctx context.Context, id loop.ClientID) *string {
	client, err := h.Clients.Client(ctx, id)
	if err != nil || client.Name == "" {
		return nil
	}
	return &client.Name
}

// inWords says each read in a line. A name is quoted, so that it can be nothing else
// than a name.
func (a readsAnswer) inWords() string {
	var text strings.Builder
	if len(a.Data) == 0 {
		text.WriteString("There are no such reads.\n")
	}
	for i := range a.Data {
		r := &a.Data[i]
		app := fmt.Sprintf("the app %q", r.ClientID)
		if r.ClientName != nil {
			app += fmt.Sprintf(", named %q,", *r.ClientName)
		}
		fmt.Fprintf(&text, "%s: %s read lab results, %d in number\n", r.At.Format(time.RFC3339), app, r.Results)
	}
	if a.Next != nil {
		text.WriteString("There are more: call again with cursor " + *a.Next + ".\n")
	}
	return strings.TrimSuffix(text.String(), "\n")
}
