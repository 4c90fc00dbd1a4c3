package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/server"
)

// grammar is the whole command line. The settings stand at its root, so every command takes them.
type grammar struct {
	Help   helpFlag `name:"help" short:"h" group:"common" help:"Show help for a command."`
	Config string   `name:"config" group:"common" placeholder:"FILE" help:"YAML file with settings under the names of their flags."`
	JSON   bool     `name:"json" group:"common" help:"Answer in JSON."`

	Settings server.Config `embed:""`

	Serve   serveCommand   `cmd:"" group:"server" help:"Run the server. No flag is required."`
	Doctor  doctorCommand  `cmd:"" group:"server" help:"Check settings, files and database, and say how to mend what is wrong."`
	Migrate migrateCommand `cmd:"" group:"server" help:"Bring the database's schema up to date."`
	Backup  backupCommand  `cmd:"" group:"server" help:"Copy the database into one sealed file, also while the server runs."`
	Restore restoreCommand `cmd:"" group:"server" help:"Bring the database of a backup back, and end what must not come back with it."`

	Users    usersCommand    `cmd:"" group:"data" help:"People: create, list, show, disable, enable, delete, set-password, roles."`
	Roles    rolesCommand    `cmd:"" group:"data" help:"Roles and their permissions: create, list, show, delete."`
	Sessions sessionsCommand `cmd:"" group:"data" help:"Where people are signed in: list, revoke."`
	Keys     keysCommand     `cmd:"" group:"data" help:"Signing keys of access tokens: list, rotate, revoke."`
	APIKeys  apikeysCommand  `cmd:"" name:"apikeys" group:"data" help:"API keys of machines: create, list, revoke, service."`
	Audit    auditCommand    `cmd:"" group:"data" help:"What happened, newest first."`

	Hash    hashCommand    `cmd:"" group:"tools" help:"Password hashing: tune finds the parameters for this machine."`
	Openapi openapiCommand `cmd:"" group:"tools" help:"Print the OpenAPI 3.1 document of the JSON API."`
	Version versionCommand `cmd:"" group:"tools" help:"Print the version."`
}

// app is what a command runs with.
type app struct {
	context.Context
	Program
	settings server.Config
	json     bool
}

// open opens the data for a command, runs it, and closes the data.
func (a *app) open(run func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error) error {
	s, err := server.Open(a, a.settings)
	if err != nil {
		return err
	}
	engine, call := s.Engine(ostiary.ActorCLI)
	return errors.Join(run(s, engine, call), s.Close())
}

// say answers a person, or nothing when JSON is asked for.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.Stdout, format+"\n", args...)
	}
}
