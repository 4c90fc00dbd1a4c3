package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/ostiary/ostiary/server"
)

const (
	patience = 15 * time.Second // for requests that are under way when the server is told to stop
	baseline = 40 << 20         // bytes that the server takes beside password hashes
)

type serveCommand struct{}

// Run serves until the context ends; requests that are under way then are finished.
func (serveCommand) Run(a *app) error {
	if err := a.settings.Check(); err != nil {
		return err
	}
	a.boundMemory()
	listener, err := listen(a, &a.settings)
	if err != nil {
		return err
	}
	log := a.settings.Logger(a.Stderr)
	a.settings.Log, a.settings.Console = log, terminal(a.Stdout)
	s, err := server.New(a, a.settings)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.announce(s)
	return errors.Join(serve(a, listener, logged(s, log), log), s.Close())
}

// boundMemory keeps the heap near what hashes need, unless the operator said otherwise.
func (a *app) boundMemory() {
	if !slices.ContainsFunc(a.Env, func(pair string) bool { return strings.HasPrefix(pair, "GOMEMLIMIT=") }) {
		debug.SetMemoryLimit(a.settings.HashMemory() + baseline)
	}
}

// listen takes the port before anything else is touched. A port that the system chose becomes part of the settings.
func listen(ctx context.Context, settings *server.Config) (net.Listener, error) {
	address := settings.Listen
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: stop it, or choose another address with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be used without privileges: choose a port above 1023 with --listen", address)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	settings.Listen = listener.Addr().String()
	return listener, nil
}

// terminal returns w if a person looks at it.
func terminal(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return f
	}
	return nil
}

// announce says where the server is, and how to become its administrator.
func (a *app) announce(s *server.Server) {
	line := fmt.Sprintf("Ostiary %s is at %s", a.Version, s.Issuer())
	link := s.SetupLink()
	switch {
	case link == "":
		fmt.Fprintln(a.Stdout, line)
	case a.settings.Console != nil:
		fmt.Fprintf(a.Stdout, "%s\nMake yourself administrator; this link works once, for an hour:\n  %s\n", line, link)
	default:
		fmt.Fprintf(a.Stdout, "%s; the link to make yourself administrator is in %s\n", line, filepath.Join(a.settings.Data, "setup-link"))
	}
}

// serve answers until ctx ends, and then finishes what was begun.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	h := &http.Server{
		Handler: handler, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping: requests that are under way are finished")
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := h.Shutdown(finish); err != nil {
		log.Warn("some requests took too long and were cut off", "after", patience.String())
		return h.Close()
	}
	return nil
}
