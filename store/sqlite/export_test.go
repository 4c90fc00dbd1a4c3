package sqlite

import (
	"context"
	"time"
)

// OpenImpatient is Open for tests that do not want to wait for a lock.
func OpenImpatient(ctx context.Context, path string, patience time.Duration) (*Store, error) {
	s, err := open(ctx, path, patience)
	return s, explain(err)
}

// Exec runs a statement on the connection that writes.
func (s *Store) Exec(ctx context.Context, statement string) error {
	_, err := s.writer.conn.ExecContext(ctx, statement)
	return err
}

// Number reads one number.
func (s *Store) Number(ctx context.Context, query string) (n int64, err error) {
	err = s.readers.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// InLine is how many operations wait for their turn.
func (s *Store) InLine() int {
	s.writer.turns.mu.Lock()
	defer s.writer.turns.mu.Unlock()
	return len(s.writer.turns.members)
}
