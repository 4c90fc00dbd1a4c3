package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// ErrNewer says that a newer version of the software changed the schema.
var ErrNewer = sqlstore.ErrNewer

var errURL = errors.New("not a URL like mysql://user:password@host:3306/database?tls=true")

// idle is how long the server keeps a connection on which nothing is said, and the locks of a node that is gone.
const idle = 30 * time.Second

// target makes connections to what a URL names.
type target struct {
	driver.Connector
	config *mysql.Config
}

func parse(text string, timeout time.Duration) (target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" || u.Host == "" || len(u.Path) < 2 {
		return target{}, errURL
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName, c.User = "tcp", u.Host, u.Path[1:], u.User.Username()
	c.Passwd, _ = u.User.Password()
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.Collation = "binary"        // no text of ours is ever compared or converted
	c.ClientFoundRows = true      // as on other databases, a row that matched counts
	c.Timeout = timeout           // of connecting; 0: none
	c.Logger = &mysql.NopLogger{} // what goes wrong is in our errors
	c.Params = map[string]string{
		"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", "wait_timeout": fmt.Sprint(int(idle.Seconds())),
	}
	if timeout > 0 {
		c.Params["innodb_lock_wait_timeout"] = fmt.Sprint(max(1, int(timeout.Seconds())))
	}
	if err := secure(c, u); err != nil {
		return target{}, err
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return target{}, errURL
	}
	return target{connector, c}, nil
}

// secure reads the parameters of a URL, which are all about TLS.
func secure(c *mysql.Config, u *url.URL) error {
	for name, values := range u.Query() {
		switch value := values[0]; {
		case name == "tls" && (value == "true" || value == "false" || value == "skip-verify"):
			if c.TLS == nil {
				c.TLSConfig = value
			}
		case name == "ca":
			pem, err := os.ReadFile(value)
			if err != nil {
				return err
			}
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(pem) {
				return fmt.Errorf("%s holds no certificate", value)
			}
			c.TLS, c.TLSConfig = &tls.Config{RootCAs: roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}, ""
		default:
			return fmt.Errorf("%w: parameter %q is not known, or its value", errURL, name)
		}
	}
	return nil
}

// Connect makes a connection whose transactions are at READ COMMITTED.
func (t target) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := t.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := plain.(sqlstore.DriverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("driver has connections of type %T", plain), plain.Close())
	}
	if _, err := c.ExecContext(ctx, `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED`, nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return sqlstore.Prepared(c), nil
}

// judge says what an error means: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html.
func judge(err error) sqlstore.Verdict {
	var refused *mysql.MySQLError
	var broken *net.OpError
	switch {
	case errors.As(err, &refused):
		switch refused.Number {
		case 1213, 1205, 1020: // deadlock, lock wait timeout, record changed since it was read
			return sqlstore.VerdictAgain
		case 1062:
			return sqlstore.VerdictTaken
		case 1040, 1053, 1927: // too many connections, shutting down, killed
			return sqlstore.VerdictLost
		}
	case errors.As(err, &broken) && broken.Op == "dial":
		return sqlstore.VerdictAgain
	case errors.As(err, &broken), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return sqlstore.VerdictLost
	}
	return sqlstore.VerdictFault
}

// explain says in one line what an operator can do about a database that cannot be opened.
func (t target) explain(err error) error {
	var refused *mysql.MySQLError
	var broken *net.OpError
	if errors.As(err, &broken) {
		return fmt.Errorf("server %s cannot be reached: %w", t.config.Addr, broken.Err)
	}
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Number {
	case 1045:
		return fmt.Errorf("server %s does not let user %q in: wrong password, or not allowed from here", t.config.Addr, t.config.User)
	case 1049:
		return fmt.Errorf("database %q does not exist: make it with CREATE DATABASE", t.config.DBName)
	case 1044, 1142, 1227:
		return fmt.Errorf("user %q lacks a right on database %q: GRANT ALL on it", t.config.User, t.config.DBName)
	}
	return fmt.Errorf("server %s: %s (%d)", t.config.Addr, strings.ReplaceAll(refused.Message, "\n", " "), refused.Number)
}
