package daemon

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ostiary/ostiary/server"
)

type doctorCommand struct{}

// Run reports what is wrong first on the eye, and fails when anything is an error.
func (doctorCommand) Run(a *app) error {
	findings := server.Doctor(a, a.settings)
	wrong := 0
	for _, f := range findings {
		if f.Level == server.Wrong {
			wrong++
		}
		if !a.json {
			a.say("%s", reportLine(f))
		}
	}
	if a.json {
		if err := a.print(list[server.Finding]{Items: findings}); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return fmt.Errorf("doctor found %d of %d points wrong", wrong, len(findings))
	}
	return nil
}

func reportLine(f server.Finding) string {
	line := fmt.Sprintf("%-8s %s", f.Level, f.Name)
	if f.Value != "" {
		line += " = " + f.Value
	}
	if f.Problem != "" {
		line += ": " + f.Problem
	}
	if f.Fix != "" {
		line += "; " + f.Fix
	}
	return printable(line)
}

type migrateCommand struct{}

func (migrateCommand) Run(a *app) error {
	m, err := server.Migrate(a, a.settings)
	if err != nil {
		return err
	}
	if a.json {
		return a.print(m)
	}
	switch {
	case m.Created:
		a.say("Created %s with schema %d", m.Database, m.To)
	case m.From == m.To:
		a.say("%s is up to date with schema %d", m.Database, m.To)
	default:
		a.say("Brought %s from schema %d to %d", m.Database, m.From, m.To)
	}
	return nil
}

type openapiCommand struct{}

func (openapiCommand) Run(a *app) error {
	document, err := server.Document(a, a.settings)
	if err != nil {
		return err
	}
	_, err = a.Stdout.Write(document)
	return err
}

type versionCommand struct{}

// build is what is known about this binary.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Time    string `json:"time,omitempty"` // of the commit
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (versionCommand) Run(a *app) error {
	b := build{Version: a.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			}
		}
	}
	if a.json {
		return a.print(b)
	}
	words := []string{"ostiary", b.Version}
	if b.Commit != "" {
		words = append(words, "commit", b.Commit[:min(12, len(b.Commit))], b.Time)
	}
	a.say("%s", strings.Join(append(words, b.Go, b.OS+"/"+b.Arch), " "))
	return nil
}
