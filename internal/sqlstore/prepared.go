package sqlstore

import (
	"context"
	"database/sql/driver"
)

// DriverConn is what a driver's connections must be able to do for [Prepared].
type DriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// Prepared wraps a connection whose driver does not remember what it prepared: each statement that has parameters is
// prepared once. There are few, because no value is ever part of a text.
func Prepared(c DriverConn) driver.Conn { return &conn{c, map[string]driver.Stmt{}} }

type conn struct {
	DriverConn
	prepared map[string]driver.Stmt
}

func (c *conn) stmt(ctx context.Context, query string) (driver.Stmt, error) {
	if s := c.prepared[query]; s != nil {
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if err == nil {
		c.prepared[query] = s
	}
	return s, err
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.DriverConn.ExecContext(ctx, query, nil)
	}
	s, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	run, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return run.ExecContext(ctx, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		return c.DriverConn.QueryContext(ctx, query, nil)
	}
	s, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	run, ok := s.(driver.StmtQueryContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return run.QueryContext(ctx, args)
}
