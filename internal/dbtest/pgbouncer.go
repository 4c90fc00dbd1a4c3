package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// PgBouncer starts a pooler before a server, which shares a few connections by transaction, and stops it with the test.
func (p *Postgres) PgBouncer(t *testing.T) *Server {
	t.Helper()
	server := p.Server(t)
	var poolers Servers
	t.Cleanup(poolers.Stop)
	var pooler *Server
	return poolers.get(t, &pooler, func(dir string, port int) (*Server, error) {
		pgbouncer, err := find("pgbouncer", "/usr/sbin")
		if err != nil {
			return nil, err
		}
		settings := filepath.Join(dir, "pgbouncer.ini")
		text := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d user=ostiary password='%s'\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"+
			"listen_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 500\n"+
			"ignore_startup_parameters = extra_float_digits\n", server.Port, Password, port)
		if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
			return nil, err
		}
		return &Server{
			command: []string{pgbouncer, settings},
			ready: func(ctx context.Context, port int) error {
				return ping(ctx, "pgx", PostgresURL(fmt.Sprintf("127.0.0.1:%d", port), "postgres")+"&default_query_exec_mode=exec")
			},
		}, nil
	})
}
