package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math/rand/v2"
	"time"
)

// How often something is run again, and how long it waits before.
const (
	attempts  = 12
	firstWait = time.Millisecond
	lastWait  = 100 * time.Millisecond
)

// persist runs once again and again until its verdict is no reason to, or ctx ends.
func (p *Pool) persist(ctx context.Context, once func() (Verdict, error)) error {
	wait := firstWait
	for n := 1; ; n++ {
		verdict, err := once()
		if err == nil || verdict == VerdictFault || n == attempts || ctx.Err() != nil {
			return err
		}
		if pause(ctx, wait+rand.N(wait)) != nil {
			return err
		}
		wait = min(2*wait, lastWait)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serverTx is one transaction on one connection. BEGIN and COMMIT are statements like the others, so that they have the
// same time limit.
type serverTx struct {
	pool   *Pool
	conn   *sql.Conn
	failed error // of a statement: none follows it, because it might find itself outside of the transaction
	over   bool  // nothing is open on the connection
}

func (p *Pool) begin(ctx context.Context) (*serverTx, error) {
	t := &serverTx{pool: p}
	err := p.within(ctx, func(ctx context.Context) (err error) {
		if t.conn, err = p.db.Conn(ctx); err == nil {
			_, err = t.conn.ExecContext(ctx, p.engine.Begin)
		}
		return err
	})
	if err != nil {
		if t.conn != nil {
			t.end()
		}
		return nil, err
	}
	return t, nil
}

func (t *serverTx) run(ctx context.Context, fn func(Conn) error) (Verdict, error) {
	err := fn(t)
	if t.failed != nil {
		if err == nil { // fn looked away
			err = t.failed
		}
		return t.pool.verdict(t.failed), err
	}
	if err != nil {
		return VerdictFault, err
	}
	if err := ctx.Err(); err != nil {
		return VerdictFault, err
	}
	return t.commit(ctx)
}

// commit is not interrupted by the caller's end: what was written must not be reported as cancelled.
func (t *serverTx) commit(ctx context.Context) (Verdict, error) {
	_, err := t.pool.exec(context.WithoutCancel(ctx), t.conn, `COMMIT`, nil)
	t.over = err == nil
	verdict := t.pool.verdict(err)
	if verdict == VerdictLost {
		verdict = VerdictFault
	}
	return verdict, err
}

// end gives the connection back, without a transaction, or drops it.
func (t *serverTx) end() {
	if !t.over {
		_, err := t.pool.exec(context.Background(), t.conn, `ROLLBACK`, nil)
		t.over = err == nil
	}
	if !t.over {
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = t.conn.Close()
}

func (t *serverTx) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	if t.failed == nil {
		n, t.failed = t.pool.exec(ctx, t.conn, query, args)
	}
	return n, t.failed
}

func (t *serverTx) Query(ctx context.Context, query string, each func(Scan) error, args ...any) error {
	if t.failed == nil {
		t.failed = t.pool.query(ctx, t.conn, query, each, args)
	}
	return t.failed
}
