package clients

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/registration/library/tried"
)

// journey leads an app from sign-in to the end of what the member allowed it.
type journey struct {
	platform *platform
	app      *app
	latest   answer // the app's last
	steps    tried.Steps
	failed   *tried.Verdict // nil until a step failed
}

// travel takes each step in turn, up to the first that fails.
func (p *platform) travel(t *testing.T, a *app) (tried.Verdict, tried.Steps) {
	t.Helper()
	j := &journey{platform: p, app: a}
	for _, step := range []func(*testing.T){j.signIn, j.refreshTwice, j.expire, j.together, j.disconnect} {
		if step(t); j.failed != nil {
			return *j.failed, j.steps
		}
	}
	return tried.Verdict{Works: true}, j.steps
}

func (j *journey) fail(step, shown string) {
	j.failed = &tried.Verdict{Step: step, Refusal: j.platform.refusal(j.app.client), Shown: j.anonymous(shown)}
}

// ofOneRun is what differs from run to run: names of requests, and secrets.
var ofOneRun = regexp.MustCompile(`\b(req|lph_[a-z]+)_[0-9A-Za-z_-]+`)

// anonymous is the beginning of a text, without what differs from run to run.
func (j *journey) anonymous(text string) string {
	const most = 300
	named := strings.NewReplacer(
		j.app.client, "client_…", j.app.address, "https://app.example.com",
		j.platform.issuer(), "https://identity.platform.loop.health",
		j.platform.env["LOOP_DEVELOPERS_URL"], "https://developers.platform.loop.health",
	).Replace(text)
	cut := []rune(ofOneRun.ReplaceAllString(named, "${1}_…"))
	if len(cut) > most {
		cut = append(cut[:most], '…')
	}
	return string(cut)
}

// signIn signs the member in, who leaves a scope out, and asks the app who they are.
// What is left out is closed to the app.
func (j *journey) signIn(t *testing.T) {
	t.Helper()
	if fault := j.app.person.signIn(t); fault != "" {
		j.fail("sign-in", fault)
		return
	}
	got, _, fault := j.app.person.ask(t, http.MethodGet, "/me")
	switch {
	case fault != "" || got.Subject+got.Email == "":
		j.fail("user information", fault)
		return
	case !strings.HasPrefix(got.Subject, "user_") && got.Email != j.platform.env["LOOP_MEMBER_EMAIL"]:
		t.Errorf("the app takes the member for %+v", got)
	}
	if j.latest = got; got.Access != "" {
		if status := j.opens(t, "LOOP_IDENTITY_URL", "/v1/oauth/userinfo"); status != http.StatusOK {
			t.Errorf("the access token is answered with %d at userinfo", status)
		}
		if status := j.opens(t, "LOOP_CLINICAL_URL", "/v1/biomarkers/me"); status != http.StatusForbidden {
			t.Errorf("what the member left out is answered with %d", status)
		}
	}
}

// opens gives the status of a request with the app's access token.
func (j *journey) opens(t *testing.T, host, path string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, j.platform.env[host]+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+j.latest.Access)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// refreshTwice refreshes with what sign-in gave, and with what that gave.
func (j *journey) refreshTwice(t *testing.T) {
	t.Helper()
	for range 2 {
		got, has, fault := j.app.person.ask(t, http.MethodPost, "/refresh")
		if !has {
			j.steps.Refresh = none
			return
		}
		if fault != "" {
			j.fail("refresh", fault)
			return
		}
		if got.Access == j.latest.Access {
			t.Error("the refresh gave the same access token")
		}
		if j.latest = got; j.opens(t, "LOOP_IDENTITY_URL", "/v1/oauth/userinfo") != http.StatusOK {
			t.Error("the refreshed access token does not open userinfo")
		}
	}
	j.steps.Refresh = fine
}

const (
	fine = "ok"
	none = "none"
)

// expire has the app use a token that has expired.
func (j *journey) expire(t *testing.T) {
	t.Helper()
	got, has, fault := j.app.person.ask(t, http.MethodPost, "/expired")
	switch {
	case !has:
		j.steps.Expiry = none
	case fault != "":
		j.fail("expiry", fault)
	case got.Access == j.latest.Access:
		t.Error("the app went on with the token that has expired")
	default:
		j.latest, j.steps.Expiry = got, fine
	}
}

// together has the app refresh twice at once with one refresh token. Where one of them
// is refused, that was a re-use: the connection has ended, and the member signs in
// again.
func (j *journey) together(t *testing.T) {
	t.Helper()
	got, has, fault := j.app.person.ask(t, http.MethodPost, "/together")
	switch {
	case !has:
		j.steps.Together = none
	case fault != "":
		j.fail("two refreshes at once", fault)
	case len(got.Errors) == 0:
		j.steps.Together = fine
	case len(got.Errors) == 1:
		j.steps.Together = j.anonymous(got.Errors[0])
		j.signIn(t)
	default:
		j.fail("two refreshes at once", strings.Join(got.Errors, "; "))
	}
}

// disconnect has the app end its tokens, or the member, where the library cannot. They
// end at once, and the app hears it at its next refresh.
func (j *journey) disconnect(t *testing.T) {
	t.Helper()
	_, has, fault := j.app.person.ask(t, http.MethodPost, "/disconnect")
	if fault != "" {
		j.fail("disconnect", fault)
		return
	}
	j.steps.Disconnect = "by the app"
	if !has {
		j.platform.disconnect(t, j.app.client)
		j.steps.Disconnect = "by the member"
	}
	if j.latest.Access != "" && j.opens(t, "LOOP_IDENTITY_URL", "/v1/oauth/userinfo") != http.StatusUnauthorized {
		t.Error("the access token is good after the disconnection")
	}
	_, has, shown := j.app.person.ask(t, http.MethodPost, "/refresh")
	if has && shown == "" {
		t.Error("a refresh works after the disconnection")
	}
	j.steps.Afterwards = j.anonymous(shown)
}
