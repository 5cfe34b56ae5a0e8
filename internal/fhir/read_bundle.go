package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/biomarker"
)

// document reads one JSON document: a resource, or the entries of a Bundle one by
// one, wherever in it they are.
type document struct {
	bounded *boundedReader
	decoder *json.Decoder
	state   func() (resource, error)

	members map[string]json.RawMessage // of the top object, but for a Bundle's entries
	entries int
}

func newDocument(r io.Reader) *document {
	bounded := &boundedReader{r: r}
	d := &document{bounded: bounded, decoder: json.NewDecoder(bounded), members: make(map[string]json.RawMessage)}
	d.state = d.begin
	return d
}

func (d *document) next() (resource, error) { return d.state() }

// place is where the decoder is, in bytes: a document has no lines that count.
func (d *document) place() string { return fmt.Sprintf("byte %d", d.decoder.InputOffset()) }

func (d *document) malformed(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return biomarker.RefuseDocument(d.place(), "a resource has at most %d MB", maxResource>>20)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return biomarker.RefuseDocument(d.place(), "the JSON ends too early")
	}
	if _, isSyntax := errors.AsType[*json.SyntaxError](err); isSyntax {
		return biomarker.RefuseDocument(d.place(), "this is not JSON")
	}
	return err // of the reader
}

func (d *document) begin() (resource, error) {
	d.bounded.allow()
	token, err := d.decoder.Token()
	if err != nil {
		return resource{}, d.malformed(err)
	}
	if token != json.Delim('{') {
		return resource{}, biomarker.RefuseDocument("", "a FHIR document is a JSON object")
	}
	return d.topMembers()
}

// topMembers reads the members of the top object until a Bundle's entries begin.
func (d *document) topMembers() (resource, error) {
	total := 0
	for d.decoder.More() {
		d.bounded.allow()
		token, err := d.decoder.Token()
		if err != nil {
			return resource{}, d.malformed(err)
		}
		name, _ := token.(string)
		if _, twice := d.members[name]; twice {
			return resource{}, biomarker.RefuseDocument(d.place(), "a member of the resource is there twice")
		}
		if name == "entry" {
			d.members[name] = nil
			return d.beginEntries()
		}
		var value json.RawMessage
		if err := d.decoder.Decode(&value); err != nil {
			return resource{}, d.malformed(err)
		}
		if total += len(value); total > maxResource {
			return resource{}, d.malformed(errTooLong)
		}
		d.members[name] = value
	}
	return d.end()
}

func (d *document) beginEntries() (resource, error) {
	token, err := d.decoder.Token()
	if err != nil {
		return resource{}, d.malformed(err)
	}
	if token != json.Delim('[') {
		return resource{}, biomarker.RefuseDocument(d.place(), "entry is no list")
	}
	d.state = d.entry
	return d.entry()
}

// bundleEntry is what is read of an entry (FHIR R4, Bundle).
type bundleEntry struct {
	FullURL  string          `json:"fullUrl"`
	Resource json.RawMessage `json:"resource"`
	Search   struct {
		Mode string `json:"mode"`
	} `json:"search"`
	Request struct {
		Method string `json:"method"`
	} `json:"request"`
}

func (d *document) entry() (resource, error) {
	for d.decoder.More() {
		d.bounded.allow()
		place := fmt.Sprintf("entry[%d]", d.entries)
		d.entries++
		var entry bundleEntry
		if err := d.decoder.Decode(&entry); err != nil {
			if _, isType := errors.AsType[*json.UnmarshalTypeError](err); isType {
				return resource{}, biomarker.RefuseDocument(place, "this is no entry of a Bundle")
			}
			return resource{}, d.malformed(err)
		}
		if len(entry.Resource) == 0 || string(entry.Resource) == "null" {
			continue // of a response, or a deletion
		}
		return resource{place: place, fullURL: entry.FullURL, raw: entry.Resource}, nil
	}
	if _, err := d.decoder.Token(); err != nil {
		return resource{}, d.malformed(err)
	}
	d.state = d.topMembers
	return d.topMembers()
}

// end checks what was read of the top object: a Bundle's frame, or a resource.
func (d *document) end() (resource, error) {
	d.state = func() (resource, error) { return resource{}, io.EOF }
	if _, err := d.decoder.Token(); err != nil {
		return resource{}, d.malformed(err)
	}
	if _, err := d.decoder.Token(); !errors.Is(err, io.EOF) {
		return resource{}, biomarker.RefuseDocument(d.place(), "something follows the resource")
	}
	_, hasEntries := d.members["entry"]
	switch kind := string(d.members["resourceType"]); {
	case kind == `"Bundle"` && string(d.members["type"]) == `"history"`:
		return resource{}, biomarker.RefuseDocument("type", "a Bundle of type history is not read: send the newest version of each resource")
	case kind == `"Bundle"`:
		return resource{}, io.EOF
	case hasEntries:
		return resource{}, biomarker.RefuseDocument("resourceType", "only a Bundle has entries")
	}
	raw, err := json.Marshal(d.members)
	if err != nil {
		return resource{}, fmt.Errorf("putting a resource together: %w", err)
	}
	return resource{place: "resource", raw: raw}, nil
}

// errTooLong: one value is longer than a resource may be.
var errTooLong = errors.New("the value is too long")

// boundedReader reads as much as one value may have.
type boundedReader struct {
	r    io.Reader
	left int
}

// allow lets the reader go on for one more value. The decoder reads ahead, so this is
// about the bound and not exactly it.
func (b *boundedReader) allow() { b.left = maxResource + maxResource/4 }

// Read reads, as far as is allowed.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
