package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ostiary/ostiary"
)

// Level says how bad a finding is.
type Level string

// The levels of a finding.
const (
	Good  Level = "ok"
	Risky Level = "warning"
	Wrong Level = "error" // the server does not start, or does not work
)

// Finding is one line of a doctor's report.
type Finding struct {
	Level   Level  `json:"level"`
	Name    string `json:"name"`              // of a setting, or of what was looked at
	Value   string `json:"value,omitempty"`   // of the setting; never a secret
	Problem string `json:"problem,omitempty"` // "" when all is well
	Fix     string `json:"fix,omitempty"`
}

// Doctor looks at every setting, the files and the database, and changes none of them.
func Doctor(ctx context.Context, cfg Config) []Finding {
	cfg = cfg.complete()
	list := cfg.review()
	if cfg.Check() != nil {
		return list // nothing that these settings name is worth a look
	}
	files, way, schema := cfg.checkFiles(ctx), cfg.checkWay(), cfg.checkSchema(ctx)
	list = append(list, files, cfg.checkApart(), way, schema)
	if cfg.Redis != "" {
		sessions := cfg.lookAtRedis(ctx)
		if list = append(list, sessions); sessions.Level == Wrong {
			return list
		}
	}
	for _, f := range []Finding{files, way, schema} {
		if f.Problem != "" {
			return list // it cannot be opened; and an older schema would be brought up to date by opening it
		}
	}
	return append(list, cfg.checkRunning(ctx)...)
}

func (c Config) checkFiles(ctx context.Context) Finding {
	f := Finding{Level: Good, Name: "files"}
	if err := c.private(); err != nil {
		f.Level, f.Problem = Wrong, err.Error()
	} else if found, err := c.exists(ctx); err != nil {
		f.Level, f.Problem = Wrong, err.Error()
	} else if !found {
		f.Problem, f.Fix = "there is no data yet", "'ostiary serve' makes everything"
	} else if _, err := c.key(); err != nil {
		f.Level, f.Problem = Wrong, err.Error()
	}
	return f
}

// checkApart is for the stolen backup: it should not hold what opens it (R42).
func (c Config) checkApart() Finding {
	f := Finding{Level: Good, Name: "master key"}
	if !c.loopback() && c.MasterKeyFile != "" && c.DB.path() != "" && filepath.Dir(c.MasterKeyFile) == filepath.Dir(c.DB.path()) {
		f.Level, f.Problem = Risky, "key and database are in the same directory, so whoever copies it has both"
		f.Fix = "move the key away and name it with --master-key-file"
	}
	return f
}

func (c Config) checkWay() Finding {
	f := Finding{Level: Good, Name: "mail"}
	if c.SMTPFile == "" {
		return f
	}
	if _, err := c.sender(); err != nil {
		f.Level, f.Problem = Wrong, err.Error()
	}
	return f
}

func (c Config) checkSchema(ctx context.Context) Finding {
	f := Finding{Level: Good, Name: "schema"}
	if found, err := c.exists(ctx); err == nil && !found {
		return f
	}
	version, known, err := c.schema(ctx)
	f.Value = fmt.Sprint(version)
	switch {
	case err != nil:
		f.Level, f.Value, f.Problem = Wrong, "", err.Error()
	case version > known:
		f.Level, f.Problem = Wrong, fmt.Sprintf("the database is of version %d, this build knows up to %d", version, known)
		f.Fix = "use the newer ostiary"
	case version < known:
		f.Problem, f.Fix = fmt.Sprintf("version %d is due", known), "'ostiary migrate', or the next start, sees to it"
	}
	return f
}

// checkRunning opens the data as a command does.
func (c Config) checkRunning(ctx context.Context) []Finding {
	s, err := Open(ctx, c)
	if err == nil {
		err = s.Ready(ctx)
	}
	if err != nil {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
		return []Finding{{Level: Wrong, Name: "database", Problem: err.Error()}}
	}
	list := []Finding{{Level: Good, Name: "database"}, s.checkAdmin(ctx), s.checkQueue(ctx)}
	if err := s.Close(); err != nil {
		list[0] = Finding{Level: Wrong, Name: "database", Problem: err.Error()}
	}
	return list
}

func (s *Server) checkAdmin(ctx context.Context) Finding {
	f := Finding{Level: Good, Name: "administrator"}
	open, err := s.setupOpen(ctx)
	switch {
	case err != nil:
		f.Level, f.Problem = Wrong, err.Error()
	case open:
		f.Level, f.Problem = Risky, "there is none, so set-up is open"
		f.Fix = "follow the set-up link, or run: ostiary users create --email YOU@EXAMPLE.COM --role " + ostiary.RoleAdmin
	}
	return f
}

// manyMails is a queue that no busy minute explains.
const manyMails = 100

func (s *Server) checkQueue(ctx context.Context) Finding {
	f := Finding{Level: Good, Name: "mail queue"}
	n, err := s.store.Messages().Count(ctx)
	f.Value = fmt.Sprint(n)
	switch {
	case err != nil:
		f.Level, f.Problem = Wrong, err.Error()
	case n > manyMails:
		f.Level, f.Problem, f.Fix = Risky, fmt.Sprintf("%d mails wait", n), "the log says why they cannot be sent"
	}
	return f
}
