package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/server"
)

// Exit codes of the program.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // the command line, a variable or the YAML file is wrong
)

// Program is one start of the binary with everything that it may touch.
type Program struct {
	Args           []string // without the program's name
	Env            []string // as in os.Environ
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string
}

// Run does what the arguments say until it is done or ctx ends, and returns the exit code. An error is one line.
func (p Program) Run(ctx context.Context) int {
	err := p.run(ctx)
	if err == nil || errors.Is(err, errHelp) {
		return exitDone
	}
	fmt.Fprintln(p.Stderr, "ostiary: "+oneLine(err))
	if usage := new(usageError); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func (p Program) run(ctx context.Context) error {
	g := &grammar{}
	given := &sources{env: p.Env}
	parser, err := kong.New(g, kong.Name("ostiary"), kong.NoDefaultHelp(), kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(int) {}), kong.Bind(helpWriter{p.Stdout}), kong.WithBeforeResolve(given.read))
	if err != nil {
		return fmt.Errorf("build command line: %w", err)
	}
	if len(p.Args) == 0 {
		return overview(p.Stdout, parser.Model)
	}
	parsed, err := parser.Parse(shorthands(p.Args))
	if err != nil {
		if errors.Is(err, errHelp) {
			return errHelp
		}
		return &usageError{plainer(err)}
	}
	g.Settings.Version = p.Version
	g.Settings.Log = slog.New(slog.DiscardHandler) // commands say what is wrong by failing; serve has a log of its own
	err = parsed.Run(&app{Context: ctx, Program: p, settings: g.Settings, json: g.JSON})
	if mistake := new(server.Mistake); errors.As(err, &mistake) {
		return &usageError{given.locate(mistake)}
	}
	return err
}

// shorthands lets people write what they are used to: help, -v.
func shorthands(args []string) []string {
	switch args[0] {
	case "help":
		return append(args[1:len(args):len(args)], "--help")
	case "--version", "-v":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// usageError is the caller's mistake, as told apart from a failure.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// plainer leaves out what the parser says about itself.
func plainer(err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), "<command>", "command"))
}

// oneLine is an error as a person sees it.
func oneLine(err error) string {
	text := err.Error()
	if refused := new(ostiary.Error); errors.As(err, &refused) {
		text = refusal(refused)
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), "; ")
}

// refusal is what the engine says to people, with the reasons that it gives.
func refusal(e *ostiary.Error) string {
	reasons := make([]string, 0, len(e.Fields))
	for _, f := range e.Fields {
		reason := f.Message
		if _, name, found := strings.Cut(f.Location, "."); found {
			reason = name + ": " + reason
		}
		reasons = append(reasons, reason)
	}
	if len(reasons) == 0 {
		return e.Message
	}
	return strings.Join(reasons, "; ")
}
