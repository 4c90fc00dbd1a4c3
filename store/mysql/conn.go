package mysql

import (
	"context"
	"database/sql/driver"
)

// driverConn is what the driver's connections can do.
type driverConn interface {
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

// conn prepares each statement that has parameters once. There are few: no value is ever part of a text.
type conn struct {
	driverConn
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
		return c.driverConn.ExecContext(ctx, query, nil)
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
		return c.driverConn.QueryContext(ctx, query, nil)
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
