package clinical

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// countedMembers count how often they are asked.
type countedMembers struct {
	Members
	sex   loop.Sex
	err   error
	asked int
}

func (m *countedMembers) Sex(context.Context, loop.MemberID) (loop.Sex, error) {
	m.asked++
	return m.sex, m.err
}

// waitingWorld is a world in which time passes when it is told to.
type waitingWorld struct {
	loop.Machine
	elapsed time.Duration
}

func (w *waitingWorld) Elapsed() time.Duration { return w.elapsed }

func TestRememberedSexes(t *testing.T) {
	world := &waitingWorld{elapsed: time.Hour}
	members := &countedMembers{err: errors.New("identity cannot be reached")}
	sexes := &rememberedSexes{Members: members, world: world}
	want := func(sex loop.Sex, failed bool, asked int) {
		t.Helper()
		if got, err := sexes.Sex(t.Context(), "user_A"); got != sex || (err != nil) != failed || members.asked != asked {
			t.Errorf("the sex is %q, %v, after %d questions; want %q, failed %t, %d questions", got, err, members.asked, sex, failed, asked)
		}
	}
	want("", true, 1)
	members.sex, members.err = loop.Female, nil
	want(loop.Female, false, 2) // a failure is not remembered
	want(loop.Female, false, 2)
	world.elapsed += sexHeldFor - 1
	want(loop.Female, false, 2)
	world.elapsed++
	want(loop.Female, false, 3)
}

func TestRememberedSexes_AreBounded(t *testing.T) {
	world := &waitingWorld{elapsed: time.Hour}
	sexes := &rememberedSexes{Members: &countedMembers{sex: loop.Male}, world: world}
	for range sexesAtMost + 10 {
		if _, err := sexes.Sex(t.Context(), loop.NewMemberID(world)); err != nil {
			t.Fatal(err)
		}
		if len(sexes.held) > sexesAtMost {
			t.Fatalf("%d are held", len(sexes.held))
		}
	}
}
