package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Engine is what a Pool has to know about a database.
type Engine struct {
	// Begin starts a transaction at READ COMMITTED.
	Begin   string
	Dialect Dialect
	// Judge says what an error of the driver means.
	Judge func(error) Verdict
	// Taken says that an INSERT … ON CONFLICT DO NOTHING, which the dialect could not translate, fails with VerdictTaken.
	Taken bool
}

// Verdict is what an error means for the statement that met it.
type Verdict int

// The verdicts.
const (
	VerdictFault Verdict = iota
	VerdictAgain         // nothing happened (deadlock, serialization, no connection): run it again
	VerdictLost          // the connection is gone, and with it the answer
	VerdictTaken         // a unique value is taken
)

// Pool is a Backend over the connections to a database server.
//
// Every statement has its own time limit, so that a server that says nothing delays nobody longer than that. What is run
// again is bounded and cannot have happened before: statements that the server took back, reads, and transactions whose
// COMMIT was not sent. Where a COMMIT, or a single write, was sent and not answered, nobody knows, and the error says so.
type Pool struct {
	db      *sql.DB
	engine  Engine
	timeout time.Duration

	mu    sync.RWMutex
	texts map[string]string
}

// NewPool makes a Backend. timeout bounds each statement, and the wait for a connection with it.
func NewPool(db *sql.DB, e Engine, timeout time.Duration) *Pool {
	return &Pool{db: db, engine: e, timeout: timeout, texts: map[string]string{}}
}

// Bound limits the connections of a pool to n, or to 4 for each core and at most 32.
func Bound(db *sql.DB, n int, idle time.Duration) {
	n = cmp.Or(n, min(4*runtime.NumCPU(), 32))
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(idle)
	db.SetConnMaxLifetime(time.Hour) // so that a balancer, and a server that came back, get their share
}

// Lagging reads from a copy, and from p when the copy cannot answer.
func (p *Pool) Lagging(replica *Pool) Backend { return lagging{p, replica} }

type lagging struct {
	*Pool
	replica *Pool
}

func (l lagging) Read(ctx context.Context, fn func(Conn) error) error {
	if err := l.replica.Read(ctx, fn); err == nil {
		return nil
	}
	return l.Pool.Read(ctx, fn)
}

// Read runs fn on statements that each see what was committed when they began.
func (p *Pool) Read(ctx context.Context, fn func(Conn) error) error { return p.Step(ctx, fn) }

// Step runs fn once, and its statements one by one.
func (p *Pool) Step(ctx context.Context, fn func(Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := fn(single{p})
	if p.verdict(err) == VerdictTaken {
		return store.ErrConflict
	}
	return err
}

// Write runs fn in a transaction.
func (p *Pool) Write(ctx context.Context, fn func(Conn) error) error {
	err := p.persist(ctx, func() (Verdict, error) {
		t, err := p.begin(ctx)
		if err != nil {
			return p.verdict(err), err
		}
		defer t.end() // also when fn panics or ends its goroutine
		return t.run(ctx, fn)
	})
	if p.verdict(err) == VerdictTaken {
		return store.ErrConflict
	}
	return err
}

func (p *Pool) verdict(err error) Verdict {
	if err == nil || errors.Is(err, errSlow) || errors.Is(err, context.Canceled) {
		return VerdictFault
	}
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return VerdictLost
	}
	return p.engine.Judge(err)
}

var errSlow = errors.New("database did not answer")

// within bounds one statement. Its error tells the caller's end from ours.
func (p *Pool) within(ctx context.Context, statement func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	err := statement(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	case limited.Err() != nil:
		return fmt.Errorf("%w within %s (%w)", errSlow, p.timeout, err)
	}
	return err
}

// runner is a *sql.DB or a *sql.Conn.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (p *Pool) exec(ctx context.Context, on runner, query string, args []any) (n int64, err error) {
	err = p.within(ctx, func(ctx context.Context) error {
		result, err := on.ExecContext(ctx, p.text(query), plain(args)...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if p.engine.Taken && p.verdict(err) == VerdictTaken && conflict.MatchString(query) {
		return 0, nil
	}
	return n, err
}

func (p *Pool) query(ctx context.Context, on runner, query string, each func(Scan) error, args []any) error {
	return p.within(ctx, func(ctx context.Context) (err error) {
		rows, err := on.QueryContext(ctx, p.text(query), plain(args)...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			if err := each(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

func (p *Pool) text(query string) string {
	p.mu.RLock()
	text, ok := p.texts[query]
	p.mu.RUnlock()
	if ok {
		return text
	}
	text = p.engine.Dialect(query)
	p.mu.Lock()
	p.texts[query] = text
	p.mu.Unlock()
	return text
}

// plain turns texts into bytes: all our columns hold bytes, which no collation compares and of which none is forbidden.
func plain(args []any) []any {
	bound := make([]any, len(args))
	for i, a := range args {
		if s, ok := a.(string); ok {
			a = []byte(s)
		}
		bound[i] = a
	}
	return bound
}

// single runs statements that are transactions of their own.
type single struct{ pool *Pool }

func (s single) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.pool.persist(ctx, func() (Verdict, error) {
		n, err = s.pool.exec(ctx, s.pool.db, query, args)
		v := s.pool.verdict(err)
		if v == VerdictTaken || v == VerdictLost && !errors.Is(err, driver.ErrBadConn) { // ErrBadConn: it was not sent
			v = VerdictFault
		}
		return v, err
	})
	return n, err
}

func (s single) Query(ctx context.Context, query string, each func(Scan) error, args ...any) error {
	return s.pool.persist(ctx, func() (Verdict, error) {
		seen := false
		err := s.pool.query(ctx, s.pool.db, query, func(scan Scan) error {
			seen = true
			return each(scan)
		}, args)
		if seen {
			return VerdictFault, err
		}
		return s.pool.verdict(err), err
	})
}
