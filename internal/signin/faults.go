package signin

import (
	"errors"

	"github.com/loop-health/loop/internal/loop"
)

// FaultsOf are all that is wrong with what a person typed to sign up, as far as it
// shows without looking anything up: a ValidationError a field at most. SignUp reports
// the first alone.
func FaultsOf(sent Registration) (faults []*loop.Error) {
	_, name := loop.ParseName(sent.Name)
	email, address := loop.ParseEmail(sent.Email)
	_, password := newPassword(sent.Password, email)
	for _, err := range []error{name, address, password} {
		if fault, ok := errors.AsType[*loop.Error](err); ok {
			faults = append(faults, fault)
		}
	}
	return faults
}
