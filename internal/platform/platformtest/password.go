package platformtest

import (
	"context"
	"sync"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Password is what every member that AddMember makes signs in with.
const Password = "correct horse battery staple"

// passwordHash is the hash of Password, which is slow to make by design: a test
// process makes it once.
var passwordHash = sync.OnceValues(func() (string, error) {
	return credential.NewPasswords(loop.Machine{}, 1).Hash(context.Background(), Password)
})

// madePassword stands for the passwords of members that tests make.
type madePassword struct{}

// Choose gives the hash of Password.
func (madePassword) Choose(context.Context, string, loop.Email) (string, error) {
	return passwordHash()
}
