package daemon

import (
	"time"

	"github.com/ostiary/ostiary/server"
)

type backupCommand struct {
	File  string `arg:"" help:"File to write."`
	Force bool   `help:"Overwrite the file if there is one."`
}

// Run writes a backup, whether or not a server runs.
func (p backupCommand) Run(a *app) error {
	r, err := server.Backup(a, a.settings, p.File, p.Force)
	if err != nil {
		return err
	}
	if a.json {
		return a.print(r)
	}
	a.say("Wrote %s: %d bytes of database, sealed under the master key %s, which is not inside: keep that elsewhere", r.File, r.Size, r.Keys[0])
	return nil
}

type restoreCommand struct {
	File         string `arg:"" optional:"" help:"Backup to restore."`
	Force        bool   `help:"Replace the database that is there; it is kept under its name and .old."`
	KeepSessions bool   `help:"Leave people signed in who were so when the backup was made, also if they were signed out since."`
	InPlace      bool   `help:"The database was brought back by its own tools: only end what must not come back with it."`
}

// Run restores a backup while no server runs, or finishes what other tools have restored.
func (p restoreCommand) Run(a *app) error {
	if (p.File == "") != p.InPlace {
		return usagef("name either a backup or, with --in-place, none")
	}
	o := server.RestoreOptions{Overwrite: p.Force, KeepSessions: p.KeepSessions}
	if p.InPlace {
		return p.finish(a, o)
	}
	r, err := server.Restore(a, a.settings, p.File, o)
	if err != nil {
		return err
	}
	if a.json {
		return a.print(r)
	}
	a.say("Restored the database of %s from %s; %s", r.Created.Format(time.RFC3339), r.File, p.ended())
	if r.Old != "" {
		a.say("The one that was there is kept as %s", r.Old)
	}
	return nil
}

func (p restoreCommand) finish(a *app, o server.RestoreOptions) error {
	if err := server.Restored(a, a.settings, o); err != nil {
		return err
	}
	if a.json {
		return a.print(map[string]bool{"in_place": true, "sessions_kept": o.KeepSessions})
	}
	a.say("Finished what was restored: %s", p.ended())
	return nil
}

func (p restoreCommand) ended() string {
	if p.KeepSessions {
		return "sessions of that time go on, links in mails and signing keys are void"
	}
	return "everybody has to sign in again, links in mails and signing keys are void"
}
