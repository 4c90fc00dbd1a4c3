//go:build unix

package keys_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ostiary/ostiary/internal/keys"
)

func TestOpenMasterDoesNotWaitForAPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	if _, err := keys.OpenMaster(pipe); err == nil {
		t.Error("a pipe was opened")
	}
}
