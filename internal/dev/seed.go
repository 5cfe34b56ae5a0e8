package dev

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// Person is somebody invented, with what they sign in with.
type Person struct {
	Name     string
	Email    string
	Password string
	Sex      loop.Sex
}

// Seed is what a platform on a laptop begins with: two members with lab results,
// test members whose results tell a story, a developer, and an app.
type Seed struct {
	Member    Person
	Member2   Person
	Developer Person
	// PersonaPassword is that of every test member whose results tell a story.
	PersonaPassword string

	ClientID     string // empty: not made yet
	ClientSecret string
	RedirectURIs []string // of the app; the first is the one that it uses
}

// The variables of dev.env.
const (
	clientIDVariable     = "LOOP_CLIENT_ID"
	clientSecretVariable = "LOOP_CLIENT_SECRET" //nolint:gosec // G101: a name
	redirectURIVariable  = "LOOP_REDIRECT_URI"
	flaskKeyVariable     = "FLASK_SECRET_KEY"
	personaVariable      = "LOOP_PERSONA_PASSWORD"
)

// people are the seed's, with the names of their variables.
func (s *Seed) people() map[string]*Person {
	return map[string]*Person{"LOOP_MEMBER": &s.Member, "LOOP_MEMBER2": &s.Member2, "LOOP_DEVELOPER": &s.Developer}
}

// newSeed is the seed as the folder's dev.env remembers it; what it does not
// remember is made. So passwords and secret stay the same across restarts.
func newSeed(remembered map[string]string, redirectURIs []string, w loop.World) Seed {
	seed := Seed{
		Member:       Person{Name: "Ada Lovelace", Email: "ada@members.example", Sex: loop.Female},
		Member2:      Person{Name: "Alan Turing", Email: "alan@members.example", Sex: loop.Male},
		Developer:    Person{Name: "Grace Hopper", Email: "grace@developers.example", Sex: loop.Female},
		ClientID:     remembered[clientIDVariable],
		ClientSecret: remembered[clientSecretVariable],
		RedirectURIs: redirectURIs,

		PersonaPassword: remembered[personaVariable],
	}
	if seed.PersonaPassword == "" {
		seed.PersonaPassword = NewPassword(w)
	}
	for prefix, person := range seed.people() {
		person.Password = remembered[prefix+"_PASSWORD"]
		if person.Password == "" {
			person.Password = NewPassword(w)
		}
	}
	return seed
}

// seed fills the platform with what is missing and writes dev.env.
func (d *Dev) seed(ctx context.Context) error {
	before, err := ReadVariables(d.folder)
	if err != nil {
		return err
	}
	remembered := make(map[string]string)
	for _, v := range before {
		remembered[v.Name] = v.Value
	}
	if d.Seed, err = d.platform.Seed(ctx, newSeed(remembered, d.layout.redirectURIs(), d.config.World)); err != nil {
		return err
	}
	if remembered[flaskKeyVariable] == "" {
		raw := make([]byte, 32)
		_, _ = d.config.World.Read(raw)
		remembered[flaskKeyVariable] = hex.EncodeToString(raw)
	}
	own := d.variables(remembered[flaskKeyVariable])
	for _, v := range before { // what the user has added stays
		if !slices.ContainsFunc(own, func(o Variable) bool { return o.Name == v.Name }) {
			own = append(own, v)
		}
	}
	return writeVariables(d.folder, own)
}

func (d *Dev) variables(flaskKey string) []Variable {
	return []Variable{
		{clientIDVariable, d.Seed.ClientID},
		{clientSecretVariable, d.Seed.ClientSecret},
		{redirectURIVariable, d.Seed.RedirectURIs[0]},
		{flaskKeyVariable, flaskKey},
		{"LOOP_IDENTITY_URL", d.layout.identity.String()},
		{"LOOP_CLINICAL_URL", d.layout.clinical.String()},
		{"LOOP_DEVELOPERS_URL", d.layout.developers.String()},
		{"LOOP_INBOX_URL", local(d.layout.ports.Inbox).String()},
		{"LOOP_MEMBER_EMAIL", d.Seed.Member.Email},
		{"LOOP_MEMBER_PASSWORD", d.Seed.Member.Password},
		{"LOOP_MEMBER2_EMAIL", d.Seed.Member2.Email},
		{"LOOP_MEMBER2_PASSWORD", d.Seed.Member2.Password},
		{"LOOP_DEVELOPER_EMAIL", d.Seed.Developer.Email},
		{"LOOP_DEVELOPER_PASSWORD", d.Seed.Developer.Password},
		{personaVariable, d.Seed.PersonaPassword},
	}
}
