package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"time"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// A batch is bounded, so that nobody waits long for the others.
const (
	batchSize = 64
	batchWork = 5 * time.Millisecond
)

var (
	errClosed = errors.New("database is closed")
	// errAgain: the transaction was lost because of another operation.
	errAgain = errors.New("transaction was lost")
)

// writer is the one connection that writes. Operations take turns on it, each in a savepoint of one transaction, and the
// last one in line commits for all of them (group commit): an fsync is paid once for everybody who came while the one
// before was under way, and a lone operation waits for nobody. Each function runs in its caller's goroutine, so a panic
// is its caller's own.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	run   *sqlstore.Statements
	turns line
	batch *batch // of whoever has the turn; nil: no transaction
}

// batch is a transaction that several operations share.
type batch struct {
	began time.Time
	size  int
	alone bool
	done  chan struct{} // closed after the commit
	err   error         // of the commit
}

func newWriter(ctx context.Context, source string) (*writer, error) {
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{db: db, conn: conn, run: sqlstore.NewStatements(conn, dialect)}
	// Find out now, not at the first sign-in, that the file cannot be written.
	err = w.exec(`BEGIN IMMEDIATE`)
	if err == nil {
		err = w.exec(`ROLLBACK`)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// write runs fn and returns when it is durable. Where a batch is lost (a full disk, say), its members run again, each in
// a transaction of its own, so that each gets the answer that it deserves.
func (w *writer) write(ctx context.Context, fn func(sqlstore.Conn) error) error {
	err := w.join(ctx, fn, false)
	if errors.Is(err, errAgain) {
		err = w.join(ctx, fn, true)
	}
	return err
}

func (w *writer) join(ctx context.Context, fn func(sqlstore.Conn) error, alone bool) error {
	if err := w.turns.wait(ctx); err != nil {
		return err
	}
	b, err := w.step(ctx, fn, alone)
	if err != nil {
		return err
	}
	<-b.done // not ctx: what was written must not be reported as cancelled
	return b.err
}

// step runs fn in the current transaction and hands the turn on.
func (w *writer) step(ctx context.Context, fn func(sqlstore.Conn) error, alone bool) (*batch, error) {
	defer w.handOn()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if alone && w.batch != nil {
		w.commit()
	}
	if w.batch == nil {
		if err := w.exec(`BEGIN IMMEDIATE`); err != nil {
			w.turns.refuse(err) // who stands in line would wait as long for the same answer
			return nil, err
		}
		w.batch = &batch{began: time.Now(), alone: alone, done: make(chan struct{})}
	}
	b, kept := w.batch, false
	defer func() { // also when fn panics or ends its goroutine
		if !kept {
			w.undo()
		}
	}()
	if err := w.exec(`SAVEPOINT operation`); err != nil {
		return nil, err
	}
	c := &writing{writer: w}
	if err := fn(c); err != nil {
		return nil, err
	}
	if c.failed != nil { // and fn looked away
		return nil, c.failed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.exec(`RELEASE operation`); err != nil {
		return nil, err
	}
	kept = true
	b.size++
	return b, nil
}

// undo takes back the operation that failed. SQLite ends the whole transaction on some errors; then there is no savepoint
// any more, and the others must run again.
func (w *writer) undo() {
	if w.exec(`ROLLBACK TO operation`) == nil && w.exec(`RELEASE operation`) == nil {
		return
	}
	w.end(errAgain)
}

// handOn gives the turn to the next in line, after a commit when there is none or the batch is full.
func (w *writer) handOn() {
	if !w.turns.waiting() {
		runtime.Gosched() // lets those come who are about to
	}
	for {
		if w.batch != nil && (w.batch.full() || !w.turns.waiting()) {
			w.commit()
		}
		if w.turns.pass(w.batch == nil) {
			return
		}
	}
}

func (b *batch) full() bool { return b.alone || b.size >= batchSize || time.Since(b.began) > batchWork }

func (w *writer) commit() {
	err := w.exec(`COMMIT`)
	w.end(err)
}

// end answers everybody in the batch. After a failure it makes sure that no transaction stays open; where SQLite has
// ended it by itself, ROLLBACK fails and changes nothing.
func (w *writer) end(err error) {
	b := w.batch
	w.batch = nil
	if err != nil {
		_ = w.exec(`ROLLBACK`)
	}
	b.err = err
	close(b.done)
}

func (w *writer) exec(statement string) error {
	_, err := w.run.Exec(context.Background(), statement)
	return explain(err)
}

func (w *writer) close() error {
	if err := w.turns.wait(context.Background()); err != nil {
		return nil // closed before
	}
	w.turns.shut(errClosed)
	return errors.Join(w.run.Close(), w.conn.Close(), w.db.Close())
}

// writing is what an operation runs its statements on. A cancelled context keeps the next statement from starting, but
// interrupts none: SQLite would roll back the whole batch. After a failed statement none follows, because it might find
// itself outside of the transaction.
type writing struct {
	*writer
	failed error
}

func (c *writing) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = c.one(ctx, func(ctx context.Context) error {
		n, err = c.run.Exec(ctx, query, args...)
		return err
	})
	return n, err
}

func (c *writing) Query(ctx context.Context, query string, each func(sqlstore.Scan) error, args ...any) error {
	return c.one(ctx, func(ctx context.Context) error { return c.run.Query(ctx, query, each, args...) })
}

func (c *writing) one(ctx context.Context, statement func(context.Context) error) error {
	if c.failed == nil {
		c.failed = ctx.Err()
	}
	if c.failed == nil {
		c.failed = explain(statement(context.WithoutCancel(ctx)))
	}
	return c.failed
}
