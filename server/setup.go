package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/ostiary/ostiary"
)

const (
	setupWatch = time.Second      // how often set-up is looked at until it is closed
	setupRenew = 50 * time.Minute // a link lives for an hour (R36)
)

// setup is the link by which the first administrator comes in.
type setup struct {
	mu   sync.Mutex
	link string
}

func (s *setup) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

func (s *setup) set(link string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = link
}

// SetupLink is the address at which the first administrator is made, "" once there was one. It works once, and for an
// hour; while set-up is open a new one is issued in time.
func (s *Server) SetupLink() string { return s.setup.get() }

// TidySetup removes the file of the set-up link if set-up is closed. A server does so by itself; this is for programs that
// made the first administrator without one.
func (s *Server) TidySetup(ctx context.Context) error {
	open, err := s.setupOpen(ctx)
	if err != nil || open {
		return err
	}
	s.setup.set("")
	if err := os.Remove(s.cfg.inData(setupLinkFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the set-up link: %w", plainPath(err))
	}
	return nil
}

func (s *Server) setupOpen(ctx context.Context) (bool, error) {
	e, _ := s.Engine(ostiary.ActorSystem)
	return e.SetupOpen(ctx)
}

// openSetup issues a link while there was never an administrator, and watches until there is one.
func (s *Server) openSetup(ctx context.Context) error {
	open, err := s.setupOpen(ctx)
	if err != nil {
		return err
	}
	if !open {
		return s.TidySetup(ctx)
	}
	if err := s.issueSetup(ctx); err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.work.Go(func() { s.watchSetup(watching) })
	return nil
}

// issueSetup makes a link. Without a terminal it goes into a file that only the owner of the data can read.
func (s *Server) issueSetup(ctx context.Context) error {
	secret, err := s.passwords.SetupSecret(ctx)
	if err != nil {
		return fmt.Errorf("issue set-up link: %w", err)
	}
	link := s.cfg.URL + "/setup#token=" + secret
	s.setup.set(link)
	if s.cfg.Console != nil {
		return nil
	}
	return writePrivate(s.cfg.inData(setupLinkFile), link+"\n")
}

func (s *Server) watchSetup(ctx context.Context) {
	tick := time.NewTicker(setupWatch)
	defer tick.Stop()
	for issued := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.TidySetup(ctx); err != nil {
			s.log.Debug("set-up will be looked at again", "error", err)
			continue
		}
		if s.SetupLink() == "" {
			return
		}
		if time.Since(issued) >= setupRenew {
			issued = time.Now()
			s.renewSetup(ctx)
		}
	}
}

func (s *Server) renewSetup(ctx context.Context) {
	if err := s.issueSetup(ctx); err != nil {
		s.log.Warn("a new set-up link could not be issued", "error", err)
		return
	}
	if s.cfg.Console != nil {
		fmt.Fprintf(s.cfg.Console, "The set-up link has expired; here is a new one:\n  %s\n", s.SetupLink())
	}
}
