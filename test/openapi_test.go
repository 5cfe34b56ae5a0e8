package test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// TestLabResultsAreAsTheirOpenAPIDescribesThem has schemathesis send what the
// description allows, and what it does not, and hold each answer to it. With --long it
// tries more.
//
// One check is left out: that whatever has the right shape is accepted. A cursor is
// opaque, a code has to be one of the catalogue's, a value has to be measurable in its
// unit; a description of shapes knows none of it.
func TestLabResultsAreAsTheirOpenAPIDescribesThem(t *testing.T) {
	python := needPython(t, "schemathesis")
	p := startPlatform(t, "--no-quickstart")
	const scopes = "openid read:demographics read:biomarkers write:biomarkers"
	if _, stderr, status := p.loop(t, "client", "update", p.env["LOOP_CLIENT_ID"], "--scope", scopes); status != 0 {
		t.Fatalf("the app can't be given more scopes:\n%s", stderr)
	}
	reader := p.visitor(t)
	verifier := rand.Text() + rand.Text()
	request := p.authorization(verifier)
	request.Set("scope", scopes)
	token := reader.redeem(t, reader.signInAndAnswer(t, request, "allow").Query().Get("code"), verifier).Access
	examples := "8"
	if os.Getenv("LOOP_TEST_LONG") != "" {
		examples = "100"
	}
	command := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python), "schemathesis"), "run", p.env["LOOP_CLINICAL_URL"]+"/v1/openapi.json",
		"--header", "Authorization: Bearer "+token, "--exclude-checks", "positive_data_acceptance",
		"--max-examples", examples, "--seed", "1", "--no-color")
	command.Env = process.Inherit()
	command.Dir = t.TempDir()
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, strings.ReplaceAll(string(said), token, "…"))
	}
}
