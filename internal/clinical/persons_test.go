package clinical

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// countedMembers count how often they are asked.
type countedMembers struct {
	Members
	sex   loop.Sex
	err   error
	asked int
}

func (m *countedMembers) Person(context.Context, loop.MemberID) (biomarker.Person, error) {
	m.asked++
	return biomarker.Person{Sex: m.sex}, m.err
}

// waitingWorld is a world in which time passes when it is told to.
type waitingWorld struct {
	loop.Machine
	elapsed time.Duration
}

func (w *waitingWorld) Elapsed() time.Duration { return w.elapsed }

func TestRememberedPersons(t *testing.T) {
	world := &waitingWorld{elapsed: time.Hour}
	members := &countedMembers{err: errors.New("identity cannot be reached")}
	persons := &rememberedPersons{Members: members, world: world}
	want := func(sex loop.Sex, failed bool, asked int) {
		t.Helper()
		if got, err := persons.Person(t.Context(), "user_A"); got.Sex != sex || (err != nil) != failed || members.asked != asked {
			t.Errorf("the person is %+v, %v, after %d questions; want %q, failed %t, %d questions", got, err, members.asked, sex, failed, asked)
		}
	}
	want("", true, 1)
	members.sex, members.err = loop.Female, nil
	want(loop.Female, false, 2) // a failure is not remembered
	want(loop.Female, false, 2)
	world.elapsed += personHeldFor - 1
	want(loop.Female, false, 2)
	world.elapsed++
	want(loop.Female, false, 3)
}

func TestRememberedPersons_AreBounded(t *testing.T) {
	world := &waitingWorld{elapsed: time.Hour}
	persons := &rememberedPersons{Members: &countedMembers{sex: loop.Male}, world: world}
	for range personsAtMost + 10 {
		if _, err := persons.Person(t.Context(), loop.NewMemberID(world)); err != nil {
			t.Fatal(err)
		}
		if len(persons.held) > personsAtMost {
			t.Fatalf("%d are held", len(persons.held))
		}
	}
}
