package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// resources are the resource servers outside this platform.
type resources []loop.Resource

// ReadTables reads them:
//
//	[[resources]]
//	identifier = "https://api.partner.example"
//	scopes = ["read:orders", "write:orders"]
//	format = "jwt" # or opaque, which is the default
func (r *resources) ReadTables(value any) error {
	tables, ok := value.([]map[string]any)
	if !ok {
		return errors.New("resources must be tables: [[resources]] with identifier, scopes and format")
	}
	var faults []error
	for i, table := range tables {
		resource, err := readResource(table)
		if err != nil {
			faults = append(faults, fmt.Errorf("resources, number %d: %w", i+1, err))
		}
		if slices.ContainsFunc(*r, func(other loop.Resource) bool { return other.Identifier == resource.Identifier }) {
			faults = append(faults, fmt.Errorf("resources: %s is there twice", resource.Identifier))
		}
		*r = append(*r, resource)
	}
	return errors.Join(faults...)
}

func readResource(table map[string]any) (loop.Resource, error) {
	resource := loop.Resource{Format: loop.FormatOpaque}
	var faults []error
	for key, value := range table {
		switch key {
		case "identifier":
			resource.Identifier, _ = value.(string)
		case "format":
			text, _ := value.(string)
			resource.Format = loop.TokenFormat(text)
		case "scopes":
			names, _ := value.([]any)
			for _, one := range names {
				name, _ := one.(string)
				resource.Scopes = append(resource.Scopes, name)
			}
		default:
			faults = append(faults, fmt.Errorf("there is no key %s; the keys are identifier, scopes and format", key))
		}
	}
	if !loop.ValidResource(resource.Identifier) {
		faults = append(faults, errors.New("the identifier must be an absolute URI without a fragment, such as https://api.partner.example"))
	}
	if resource.Format != loop.FormatOpaque && resource.Format != loop.FormatJWT {
		faults = append(faults, errors.New("the format is opaque or jwt"))
	}
	for _, name := range resource.Scopes {
		if _, ours := loop.Scope(name).Info(); ours || !loop.ValidScopeName(name) {
			faults = append(faults, fmt.Errorf("%q can't be a scope there: scopes are words of printable ASCII, and none of this platform's own", name))
		}
	}
	return resource, errors.Join(faults...)
}
