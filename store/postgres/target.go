package postgres

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// ErrNewer says that a newer version of the software changed the schema.
var ErrNewer = sqlstore.ErrNewer

var errURL = errors.New("not a URL like postgres://user:password@host:5432/database?sslmode=verify-full")

// target is a parsed URL.
type target struct {
	config *pgx.ConnConfig
	pooled bool // connections are shared by transaction: nothing may be left on them
}

// parse reads a URL. Every statement on its connections is bounded by timeout on the server, too (0: by nothing), and so is
// a transaction that its node forgot. Errors hold nothing of the URL but file names.
func parse(text string, timeout time.Duration) (target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return target{}, errURL
	}
	query := u.Query()
	mode := query.Get("pool_mode")
	if mode != "" && mode != "transaction" && mode != "session" {
		return target{}, errors.New("pool_mode is neither transaction nor session")
	}
	query.Del("pool_mode")
	u.RawQuery = query.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		if failure := new(pgconn.ParseConfigError); errors.As(err, &failure) && failure.Unwrap() != nil {
			return target{}, fmt.Errorf("%w: %w", errURL, failure.Unwrap())
		}
		return target{}, errURL
	}
	t := target{config: config, pooled: mode == "transaction"}
	config.ConnectTimeout = timeout
	if t.pooled {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
		return t, nil // a pooler refuses settings that it does not know
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	config.RuntimeParams["statement_timeout"] = milliseconds(timeout)
	config.RuntimeParams["idle_in_transaction_session_timeout"] = milliseconds(2 * timeout)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "ostiary"
	}
	return t, nil
}

// judge says what an error means: https://www.postgresql.org/docs/current/errcodes-appendix.html.
func judge(err error) sqlstore.Verdict {
	var refused *pgconn.PgError
	var unconnected *pgconn.ConnectError
	connecting := errors.As(err, &unconnected)
	if !errors.As(err, &refused) {
		var broken net.Error
		switch {
		case connecting:
			return sqlstore.VerdictAgain
		case errors.As(err, &broken), pgconn.SafeToRetry(err), eof(err):
			return sqlstore.VerdictLost
		}
		return sqlstore.VerdictFault
	}
	switch refused.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return sqlstore.VerdictAgain
	case "23505":
		return sqlstore.VerdictTaken
	case "57P01", "57P02", "57P03", "08006", "08003", "08P01", "25P03", "53300": // shut down, starting, no connection left
		if connecting {
			return sqlstore.VerdictAgain
		}
		return sqlstore.VerdictLost
	}
	return sqlstore.VerdictFault
}

// explain says in one line what an operator can do about a database that cannot be opened.
func (t target) explain(err error) error {
	var refused *pgconn.PgError
	var unconnected *pgconn.ConnectError
	where := net.JoinHostPort(t.config.Host, strconv.Itoa(int(t.config.Port)))
	if !errors.As(err, &refused) {
		var broken *net.OpError
		switch {
		case errors.As(err, &broken):
			return fmt.Errorf("server %s cannot be reached: %w", where, broken.Err)
		case errors.As(err, &unconnected):
			return fmt.Errorf("server %s cannot be reached", where)
		}
		return err
	}
	switch refused.Code {
	case "28P01", "28000":
		return fmt.Errorf("server %s does not let user %q in: wrong password, or not allowed in pg_hba.conf", where, t.config.User)
	case "3D000":
		return fmt.Errorf("database %q does not exist: make it with CREATE DATABASE", t.config.Database)
	case "42501", "3F000":
		return fmt.Errorf("user %q lacks a right (%s): GRANT ALL ON DATABASE and on SCHEMA public to it", t.config.User, refused.Message)
	}
	return fmt.Errorf("server %s: %s (%s)", where, refused.Message, refused.Code)
}
