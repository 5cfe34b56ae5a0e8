package main

import (
	"strings"
	"testing"
)

func TestLoop_AUserIsShownAndChanged(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	id := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	o.do("user", "create", "--name", "Bob", "--email", "bob@members.example")
	changed := o.object("user", "update", "ada@members.example", "--email-verified", "--name", "Ada Lovelace", "--sex", "female")
	if changed["email_verified"] != true || changed["name"] != "Ada Lovelace" || changed["sex"] != "female" {
		t.Errorf("after the update: %v", changed)
	}
	if changed := o.object("user", "update", id, "--email", "Lovelace@members.example"); changed["email_verified"] != false || changed["email"] != "lovelace@members.example" {
		t.Errorf("with a new address: %v", changed)
	}
	o.do("user", "update", id, "--email-verified")
	if changed := o.object("user", "update", id, "--no-email-verified"); changed["email_verified"] != false {
		t.Errorf("verified no more: %v", changed)
	}
	if out := o.do("user", "show", id); !strings.Contains(out, "Ada Lovelace") || !strings.Contains(out, "There are no grants.") || !strings.Contains(out, "Nobody is signed in.") {
		t.Errorf("it shows %s", out)
	}
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"nothing to change":  {[]string{"user", "update", id}, []string{"nothing to change"}},
		"all faults at once": {[]string{"user", "update", id, "--name", "", "--email", "ada", "--sex", "x"}, []string{"name", "e-mail address", "female, male"}},
		"another's address":  {[]string{"user", "update", id, "--email", "bob@members.example"}, []string{"Another account"}},
		"nobody":             {[]string{"user", "show", "user_01HXY00000000000000000000Z"}, []string{"there is no member"}},
		"nobody's address":   {[]string{"user", "update", "eve@members.example", "--name", "Eve"}, []string{"nobody has an account"}},
	} {
		_, says, status := o.try(c.args...)
		for _, part := range c.says {
			if status != 1 || !strings.Contains(says, part) {
				t.Errorf("%s: status %d: %s", name, status, says)
			}
		}
	}
	tail := o.do("audit", "tail", "-n", "50")
	for _, want := range []string{"member.updated", `fields="name email_verified sex"`, `fields="email email_verified"`} {
		if !strings.Contains(tail, want) {
			t.Errorf("the record lacks %s: %s", want, tail)
		}
	}
	if strings.Contains(tail, "lovelace") {
		t.Errorf("the record holds an address: %s", tail)
	}
}

func TestLoop_AUserIsErasedAfterSevenDays(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	id := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	at := text(t, o.object("user", "delete", id), "erases_at")
	if again := text(t, o.object("user", "delete", id), "erases_at"); again != at {
		t.Errorf("a second time moves it from %s to %s", at, again)
	}
	if list := o.do("user", "list"); !strings.Contains(list, "leaves on "+at) {
		t.Errorf("the list: %s", list)
	}
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "member.leaving        by operator command line") {
		t.Errorf("the record: %s", tail)
	}
	if _, says, status := o.try("user", "delete", "user_01HXY00000000000000000000Z"); status != 1 || !strings.Contains(says, "no member") {
		t.Errorf("nobody: %d %s", status, says)
	}
}

func TestLoop_AResetLinkIsShownOnce(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "create", "--name", "Ada", "--email", "ada@members.example")
	link := text(t, o.object("user", "reset-password", "ada@members.example"), "link")
	if !strings.HasPrefix(link, "https://id.example.com/set-password?link=lph_ml_") {
		t.Errorf("the link is %s", link)
	}
	_, token, _ := strings.Cut(link, "link=")
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "password.reset_asked") || strings.Contains(tail, token) {
		t.Errorf("the record: %s", tail)
	}
}

func TestLoop_SessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "create", "--name", "Ada", "--email", "ada@members.example")
	if list := o.do("session", "list"); !strings.Contains(list, "Nobody is signed in.") {
		t.Errorf("the list: %s", list)
	}
	if out := o.do("session", "end", "ada@members.example"); !strings.Contains(out, "0 ended") {
		t.Errorf("it says %s", out)
	}
	if _, says, status := o.try("session", "end", "ada@members.example", "session_01HXY00000000000000000000Z"); status != 1 || !strings.Contains(says, "has no session") {
		t.Errorf("one that is not there: %d %s", status, says)
	}
}

func TestLoop_OperatorsAreAddedListedAndRemoved(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	if list := o.do("operator", "list"); !strings.Contains(list, "Nobody may use the console") {
		t.Errorf("the list: %s", list)
	}
	id := text(t, o.object("user", "create", "--name", "Grace", "--email", "grace@members.example"), "user_id")
	o.do("operator", "add", "grace@members.example")
	o.do("operator", "add", id, "--role", "acting")
	if list := o.do("operator", "list"); strings.Count(list, "Grace") != 1 || !strings.Contains(list, "acting") {
		t.Errorf("the list: %s", list)
	}
	o.do("operator", "remove", id)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"one who is none": {[]string{"operator", "remove", id}, "is no operator"},
		"no such role":    {[]string{"operator", "add", id, "--role", "king"}, "viewer"},
		"nobody":          {[]string{"operator", "add", "user_01HXY00000000000000000000Z"}, "there is no member"},
	} {
		if _, says, status := o.try(c.args...); status != 1 || !strings.Contains(says, c.says) {
			t.Errorf("%s: status %d: %s", name, status, says)
		}
	}
	if tail := o.do("audit", "tail", "--event", "operator"); strings.Count(tail, "operator.added") != 2 || !strings.Contains(tail, "operator.removed") {
		t.Errorf("the record: %s", tail)
	}
}
