package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
)

var (
	errTwice    = errors.New("an element is there twice")
	errSpelling = errors.New("an element is spelt in other letters than FHIR's")
)

// checkNames makes sure that no object of a well-formed resource has an element twice,
// of which encoding/json would take the last, nor one in other letters, which it
// would take for the right one.
func checkNames(raw json.RawMessage) error {
	c := nameCheck{text: raw}
	return c.value()
}

// nameCheck goes through well-formed JSON.
type nameCheck struct {
	text  []byte
	at    int
	names [][]byte // of the objects that are open, the innermost last
}

func (c *nameCheck) value() error {
	c.space()
	switch c.peek() {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		c.word()
	default:
		for c.at < len(c.text) && bytes.IndexByte([]byte(",]} \t\r\n"), c.text[c.at]) < 0 {
			c.at++
		}
	}
	return nil
}

func (c *nameCheck) object() error {
	began := len(c.names)
	c.at++
	for c.space(); c.peek() == '"'; c.space() {
		name := c.word()
		if err := c.add(name, began); err != nil {
			return err
		}
		c.space()
		c.at++ // the colon
		if err := c.value(); err != nil {
			return err
		}
		if c.space(); c.peek() != ',' {
			break
		}
		c.at++
	}
	c.at++
	c.names = c.names[:began]
	return nil
}

func (c *nameCheck) add(name []byte, began int) error {
	if bytes.IndexByte(name, '\\') >= 0 || len(name) > 0 && name[0] >= 'A' && name[0] <= 'Z' {
		return errSpelling
	}
	for _, other := range c.names[began:] {
		if bytes.Equal(other, name) {
			return errTwice
		}
		if bytes.EqualFold(other, name) {
			return errSpelling
		}
	}
	if exact, known := elementSpelling(name); known && exact != string(name) {
		return errSpelling
	}
	c.names = append(c.names, name)
	return nil
}

func (c *nameCheck) array() error {
	c.at++
	for c.space(); c.peek() != ']' && c.at < len(c.text); c.space() {
		if err := c.value(); err != nil {
			return err
		}
		if c.space(); c.peek() == ',' {
			c.at++
		}
	}
	c.at++
	return nil
}

// word gives what is between quotes, as it is written.
func (c *nameCheck) word() []byte {
	c.at++
	began := c.at
	for c.peek() != '"' && c.at < len(c.text) {
		if c.text[c.at] == '\\' {
			c.at++
		}
		c.at++
	}
	word := c.text[began:min(c.at, len(c.text))]
	c.at++
	return word
}

func (c *nameCheck) space() {
	for c.at < len(c.text) && (c.text[c.at] == ' ' || c.text[c.at] == '\t' || c.text[c.at] == '\n' || c.text[c.at] == '\r') {
		c.at++
	}
}

func (c *nameCheck) peek() byte {
	if c.at < len(c.text) {
		return c.text[c.at]
	}
	return 0
}
