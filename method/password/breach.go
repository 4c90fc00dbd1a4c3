package password

import (
	"context"
	"crypto/sha1"
	"log/slog"
	"sync"
	"time"

	"github.com/ostiary/ostiary"
)

// Breaches knows passwords that were stolen elsewhere, which attackers try first.
type Breaches interface {
	// Breached says whether the password with this SHA-1 is one of them. Whoever asks another machine sends at most the first
	// five hexadecimal digits, so that it cannot tell which password was meant. An error: nobody knows. The password is then
	// let through and counted.
	Breached(ctx context.Context, hash [sha1.Size]byte) (bool, error)
}

// errBreached's sentence tells what happened without blame: the list is of passwords, not of people.
var errBreached = &Weakness{"breached", "This password is in a list of stolen passwords that attackers try first. Use another one, here and wherever you use it."}

// breached asks about a password that the policy let through, in its normal form: outside of transactions and of the pool
// of hashes, because it may take a second.
func (m *Method) breached(ctx context.Context, normal string) bool {
	if m.breaches == nil {
		return false
	}
	found, err := m.breaches.Breached(ctx, sha1.Sum([]byte(normal)))
	if err != nil && ctx.Err() == nil {
		m.unchecked.add(ctx, m.kit, err)
	}
	return found && err == nil
}

// Unchecked is how many new passwords were let through since the start because [Config.Breaches] could not say whether
// they were stolen.
func (m *Method) Unchecked() uint64 {
	m.unchecked.mu.Lock()
	defer m.unchecked.mu.Unlock()
	return m.unchecked.count
}

// tally counts, and warns at most once a minute.
type tally struct {
	mu     sync.Mutex
	count  uint64
	warned time.Time
}

func (t *tally) add(ctx context.Context, k *ostiary.Kit, cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	now := k.Now()
	if !t.warned.IsZero() && now.Sub(t.warned) < time.Minute {
		return
	}
	t.warned = now
	k.Log.WarnContext(ctx, "new passwords are not looked up among stolen ones", "error", cause, slog.Uint64("unchecked", t.count))
}
