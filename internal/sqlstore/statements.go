package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// Dialect rewrites a statement from the common tongue into a database's own.
type Dialect func(query string) string

// Preparer is a *sql.DB or a *sql.Conn.
type Preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// Statements is a Conn that prepares each text once. The number of texts is small: no value is ever part of one.
type Statements struct {
	on      Preparer
	dialect Dialect

	mu    sync.RWMutex
	cache map[string]*sql.Stmt
}

// NewStatements returns an empty cache over a database or connection.
func NewStatements(on Preparer, d Dialect) *Statements {
	return &Statements{on: on, dialect: d, cache: map[string]*sql.Stmt{}}
}

// Exec implements Conn.
func (s *Statements) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query implements Conn.
func (s *Statements) Query(ctx context.Context, query string, each func(Scan) error, args ...any) (err error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Close closes the prepared statements.
func (s *Statements) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, stmt := range s.cache {
		err = errors.Join(err, stmt.Close())
	}
	clear(s.cache)
	return err
}

func (s *Statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt := s.cache[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(ctx, s.dialect(query))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.cache[query]; first != nil {
		return first, stmt.Close()
	}
	s.cache[query] = stmt
	return stmt, nil
}
