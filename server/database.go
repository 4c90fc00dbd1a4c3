package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/mysql"
	"github.com/ostiary/ostiary/store/postgres"
	"github.com/ostiary/ostiary/store/sqlite"
)

// database keeps everything, sessions too.
type database interface {
	store.Store
	store.Volatile
}

// Location says where a database is: sqlite:PATH, postgres://…, mysql://… or mariadb://…. It is printed without the
// password that it may hold.
type Location string

// String is the location without its secrets.
func (l Location) String() string {
	if l == "" || l.scheme() == "sqlite" {
		return string(l)
	}
	u, err := url.Parse(string(l))
	if err != nil || u.Host == "" {
		return l.scheme() + ":(secret)"
	}
	u.RawQuery = "" // where libpq takes a password, too
	return u.Redacted()
}

// GoString is the location without its secrets.
func (l Location) GoString() string { return l.String() }

// LogValue is the location without its secrets.
func (l Location) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalText is the location without its secrets.
func (l Location) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Location) scheme() string {
	scheme, _, _ := strings.Cut(string(l), ":")
	switch scheme {
	case "postgresql":
		return "postgres"
	case "mariadb":
		return "mysql"
	}
	return scheme
}

// path is that of an SQLite file, "" for a server.
func (l Location) path() string {
	path, _ := strings.CutPrefix(string(l), sqliteScheme)
	if l.scheme() != "sqlite" {
		return ""
	}
	return path
}

// name is how messages call the database.
func (l Location) name() string {
	if path := l.path(); path != "" {
		return path
	}
	return l.String()
}

func (c Config) postgres() postgres.Config {
	return postgres.Config{URL: string(c.DB), Direct: string(c.DBDirect), Replica: string(c.DBReplica), MaxConns: c.DBConns}
}

func (c Config) mysql() mysql.Config { return mysql.Config{URL: string(c.DB), MaxConns: c.DBConns} }

// openDatabase opens the database and brings its schema up to date.
func (c Config) openDatabase(ctx context.Context) (database, error) {
	var db database
	var err error
	switch c.DB.scheme() { // each result is looked at before it becomes an interface, which would not be nil
	case "postgres":
		var s *postgres.Store
		if s, err = postgres.Open(ctx, c.postgres()); err == nil {
			db = s
		}
	case "mysql":
		var s *mysql.Store
		if s, err = mysql.Open(ctx, c.mysql()); err == nil {
			db = s
		}
	default:
		var s *sqlite.Store
		if s, err = sqlite.Open(ctx, c.DB.path()); err == nil {
			db = s
		}
	}
	return db, err
}

// schema is the version of the database's schema, 0 when there is none, and the newest that this build knows.
func (c Config) schema(ctx context.Context) (version, known int64, err error) {
	switch c.DB.scheme() {
	case "postgres":
		return postgres.Schema(ctx, c.postgres())
	case "mysql":
		return mysql.Schema(ctx, c.mysql())
	}
	version, known, err = sqlite.Schema(ctx, c.DB.path())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, known, nil
	}
	return version, known, err
}

// exists says whether there is a database of ours. A file counts before it has a schema.
func (c Config) exists(ctx context.Context) (bool, error) {
	if c.DB.path() != "" {
		return exists(c.DB.path()), nil
	}
	version, _, err := c.schema(ctx)
	return version > 0, err
}

func checkDB(c Config) Finding {
	switch c.DB.scheme() {
	case "sqlite":
		if c.DB.path() == "" {
			return wrong("", "want sqlite:PATH")
		}
	case "postgres", "mysql":
		return checkServer(c)
	default:
		return wrong("", "want sqlite:PATH, postgres://… or mysql://…") // the value may hold a password
	}
	return Finding{}
}

// checkServer is about the way to a database server.
func checkServer(c Config) Finding {
	u, err := url.Parse(string(c.DB))
	if err != nil {
		return wrong("write special characters of a password as %XX", "it is not a URL")
	}
	q := u.Query()
	checked := q.Get("tls") == "true" || q.Get("ca") != "" || q.Get("sslmode") == "verify-full" || q.Get("sslmode") == "verify-ca"
	if !checked && u.Hostname() != "" && !loopback(u.Hostname()) {
		fix := "add sslmode=verify-full"
		if c.DB.scheme() == "mysql" {
			fix = "add tls=true"
		}
		return risky(fix, "whoever is between us and %s can read and change everything", u.Hostname())
	}
	return Finding{}
}

func checkDirect(c Config) Finding {
	u, err := url.Parse(string(c.DB))
	pooled := err == nil && u.Query().Get("pool_mode") == "transaction"
	switch {
	case c.DBDirect != "" && (c.DB.scheme() != "postgres" || c.DBDirect.scheme() != "postgres"):
		return wrong("leave it out", "it is for PostgreSQL behind a pooler")
	case c.DBDirect == "" && pooled && c.DB.scheme() == "postgres":
		return risky("name the server itself", "through the pooler nobody is told at once what another node revoked, only within a second")
	}
	return Finding{}
}

func checkReplica(c Config) Finding {
	if c.DBReplica != "" && (c.DB.scheme() != "postgres" || c.DBReplica.scheme() != "postgres") {
		return wrong("leave it out", "it is for PostgreSQL")
	}
	return Finding{}
}

func checkConns(c Config) Finding {
	if c.DBConns < 0 || c.DBConns > 1000 {
		return wrong("", "%d is outside 1 to 1000", c.DBConns)
	}
	return Finding{}
}
