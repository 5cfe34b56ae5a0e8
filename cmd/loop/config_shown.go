package main

import (
	"log/slog"
	"net/url"
	"strings"
)

// LogValue gives every key that has a value, with where it has it from, and no secret
// (slog.LogValuer).
func (c *config) LogValue() slog.Value {
	var all []slog.Attr
	for _, k := range keys {
		said, ok := c.given[k.name]
		if !ok {
			said = given{k.fallback, "default"}
		}
		if k.only == onlyFile {
			said.text = "set"
		}
		if said.text != "" && (ok || k.only == "") {
			all = append(all, slog.Group(k.name, slog.String("value", k.shown(said.text)), slog.String("from", said.source)))
		}
	}
	return slog.GroupValue(all...)
}

// shown is a key's text for a log: without what is a secret in it.
func (k key) shown(text string) string {
	if k.only == onlyEnvironment {
		return "set"
	}
	if !strings.Contains(text, "://") {
		return text
	}
	address, err := url.Parse(text)
	if err != nil {
		return "set"
	}
	query := address.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
		}
	}
	address.RawQuery = query.Encode()
	return address.Redacted()
}
