package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/admin"
)

func TestEnvironment_AProgramIsTheReadyMadeAppUnlessItsEnvironmentNamesAnother(t *testing.T) {
	t.Parallel()
	instance := &Instance{Folder: t.TempDir(), Status: admin.Status{}}
	readyMade := []Variable{
		{"LOOP_CLIENT_ID", "client_1"},
		{"LOOP_CLIENT_SECRET", "one"},
		{"LOOP_REDIRECT_URI", "http://localhost:5000/callback"},
		{"LOOP_IDENTITY_URL", "http://localhost:4000"},
	}
	if err := writeVariables(instance.Folder, readyMade); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		given, want Environment
		own         string
	}{
		"it names none": {
			Environment{"PATH=/bin"},
			Environment{"PATH=/bin", "LOOP_CLIENT_ID=client_1", "LOOP_CLIENT_SECRET=one", "LOOP_REDIRECT_URI=http://localhost:5000/callback", "LOOP_IDENTITY_URL=http://localhost:4000"},
			"",
		},
		"it names the ready-made one, with a secret of before": {
			Environment{"LOOP_CLIENT_ID=client_1", "LOOP_CLIENT_SECRET=zero"},
			Environment{"LOOP_CLIENT_ID=client_1", "LOOP_CLIENT_SECRET=one", "LOOP_REDIRECT_URI=http://localhost:5000/callback", "LOOP_IDENTITY_URL=http://localhost:4000"},
			"",
		},
		"it names another": {
			Environment{"LOOP_CLIENT_ID=client_2", "LOOP_CLIENT_SECRET=two", "LOOP_REDIRECT_URI=http://localhost:7000/cb", "LOOP_IDENTITY_URL=http://localhost:1"},
			Environment{"LOOP_CLIENT_ID=client_2", "LOOP_CLIENT_SECRET=two", "LOOP_REDIRECT_URI=http://localhost:7000/cb", "LOOP_IDENTITY_URL=http://localhost:4000"},
			"client_2",
		},
		"it names a public one, which has no secret": {
			Environment{"LOOP_CLIENT_ID=client_3"},
			Environment{"LOOP_CLIENT_ID=client_3", "LOOP_IDENTITY_URL=http://localhost:4000"},
			"client_3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, own, err := instance.Environment(test.given)
			if err != nil || own != test.own {
				t.Errorf("the app of its own is %q (%v), want %q", own, err, test.own)
			}
			if diff := cmp.Diff(test.want, env); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
