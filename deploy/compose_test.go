package deploy_test

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

func TestCompose_IsSoundAndOpensNothingToTheWorld(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"compose/compose.yaml"}, cli.WithEnv([]string{
		"LOOP_IDENTITY_URL=https://identity.example.com", "LOOP_CLINICAL_URL=https://clinical.example.com", "LOOP_DEVELOPERS_URL=https://developers.example.com",
	}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context()) // against the Compose specification's schema
	if err != nil {
		t.Fatal(err)
	}
	platform, err := project.GetService("loop")
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range platform.Ports {
		if port.HostIP != "127.0.0.1" {
			t.Errorf("port %s is open to %q", port.Published, port.HostIP)
		}
	}
	if len(platform.Ports) != 4 || !platform.ReadOnly || len(platform.CapDrop) != 1 {
		t.Errorf("the platform has %d ports, read_only %v, cap_drop %v", len(platform.Ports), platform.ReadOnly, platform.CapDrop)
	}
	database, err := project.GetService("database")
	if err != nil || len(database.Ports) != 0 || database.HealthCheck == nil {
		t.Errorf("the database: %v, ports %v", err, database.Ports)
	}
}

func TestCompose_AsksForTheAddresses(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"compose/compose.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := options.LoadProject(t.Context()); err == nil {
		t.Error("it starts without addresses")
	}
}
