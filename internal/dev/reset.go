package dev

import (
	"context"
	"fmt"
	"os"

	statefolder "github.com/loop-health/loop/internal/store/folder"
)

// Reset deletes a state folder with everything in it, so that the next start
// begins anew. A folder whose platform runs, and one that is none, are refused.
func (s Search) Reset(ctx context.Context, folder string) error {
	if !isStateFolder(folder) {
		return fmt.Errorf("%s is not a state folder of loop dev: nothing was deleted", folder)
	}
	if _, err := dial(ctx, folder); err == nil {
		return fmt.Errorf("the platform in %s runs: stop it first with %s dev stop%s", folder, s.Command, s.dirFlag(folder))
	}
	release, err := statefolder.Lock(folder)
	if err != nil {
		return err
	}
	defer release() //nolint:errcheck // what was locked is gone
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("the folder %s can't be deleted whole: %w", folder, cause(err))
	}
	return nil
}
