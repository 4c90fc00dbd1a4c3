package daemon

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/ostiary/ostiary/server"
)

// errHelp says that help was asked for and given.
var errHelp = errors.New("help was given")

// helpWriter is where help goes.
type helpWriter struct{ io.Writer }

// helpFlag shows help before anything else is looked at, so that it never fails.
type helpFlag bool

// BeforeReset is called by the parser when the flag is there.
func (helpFlag) BeforeReset(parsed *kong.Context, w helpWriter) error {
	var err error
	if node := parsed.Selected(); node != nil {
		err = explain(w, node)
	} else {
		err = overview(w, parsed.Model)
	}
	return errors.Join(err, errHelp)
}

const overviewHead = `Ostiary keeps the door: sign-in for your application, complete and in one file.

Usage: ostiary COMMAND [FLAGS]

Start with:
  ostiary serve                  runs at http://localhost:8080, and prints a link to make yourself administrator
`

const overviewTail = `
Every setting is a flag, a variable (OSTIARY_ and the flag in capitals) and a key of one YAML file (--config), in this
order of precedence. See them all with: ostiary serve --help
Exit codes: 0 done, 1 failed, 2 called in a wrong way.
`

// section is a group of commands or flags under a title.
type section struct{ key, title string }

func commandSections() []section {
	return []section{{"server", "The server"}, {"data", "Its data, also while it runs"}, {"tools", "Tools"}}
}

func flagSections() []section {
	return []section{
		{"address", "Where it is"},
		{"storage", "What it keeps"},
		{"mail", "Name and mail"},
		{"people", "People and passwords"},
		{"sessions", "Sessions and tokens"},
		{"running", "Running"},
		{"common", "Every command"},
	}
}

// overview is the first page of help.
func overview(w io.Writer, model *kong.Application) error {
	var b strings.Builder
	b.WriteString(overviewHead)
	for _, s := range commandSections() {
		fmt.Fprintf(&b, "\n%s:\n", s.title)
		for _, c := range model.Children {
			if c.Group != nil && c.Group.Key == s.key {
				columns(&b, 12, c.Name, c.Help)
			}
		}
	}
	b.WriteString("\nOf a command: ostiary COMMAND --help\n")
	b.WriteString(overviewTail)
	_, err := io.WriteString(w, b.String())
	return err
}

// explain is the help of one command: its own flags first, then the settings that matter to it.
func explain(w io.Writer, node *kong.Node) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage: %s\n", node.Help, usage(node))
	if len(node.Children) > 0 {
		b.WriteString("\nCommands:\n")
		for _, c := range node.Children {
			columns(&b, 16, c.Name, c.Help)
		}
	}
	if len(node.Positional) > 0 {
		b.WriteString("\nArguments:\n")
		for _, p := range node.Positional {
			columns(&b, 32, strings.ToUpper(p.Name), p.Help)
		}
	}
	if len(node.Flags) > 0 {
		b.WriteString("\nFlags:\n")
		for _, f := range node.Flags {
			columns(&b, 32, flagName(f), f.Help)
		}
	}
	settings(&b, node)
	_, err := io.WriteString(w, b.String())
	return err
}

func usage(node *kong.Node) string {
	words := []string{node.FullPath()}
	for _, p := range node.Positional {
		word := strings.ToUpper(p.Name)
		if !p.Required {
			word = "[" + word + "]"
		}
		words = append(words, word)
	}
	if len(node.Children) > 0 {
		words = append(words, "COMMAND")
	}
	return strings.Join(append(words, "[FLAGS]"), " ")
}

// settings shows all of them where the server itself is concerned, else those that find the data.
func settings(b *strings.Builder, node *kong.Node) {
	all := node.Name == "serve" || node.Name == "doctor"
	var root *kong.Node
	for root = node; root.Parent != nil; {
		root = root.Parent
	}
	for _, s := range flagSections() {
		if !all && s.key != "common" {
			continue
		}
		fmt.Fprintf(b, "\n%s:\n", s.title)
		for _, f := range root.Flags {
			if f.Group != nil && f.Group.Key == s.key || !all && f.Name == "data" {
				columns(b, 32, flagName(f), withDefault(f))
			}
		}
	}
	if all {
		fmt.Fprintf(b, "\nVariables have the same names: --session-ttl is %s, and session-ttl in the YAML file.\n", server.Variable("session-ttl"))
		return
	}
	b.WriteString("\nThe settings of 'ostiary serve' are taken, too.\n")
}

func flagName(f *kong.Flag) string {
	name := "--" + f.Name
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	if f.PlaceHolder != "" {
		name += " " + f.PlaceHolder
	}
	return name
}

func withDefault(f *kong.Flag) string {
	if f.Default == "" {
		return f.Help
	}
	return f.Help + " Default " + f.Default + "."
}

const pageWidth = 110

// columns writes a name and its text beside it, over as many lines as it takes.
func columns(b *strings.Builder, width int, name, text string) {
	line := "  " + name
	if utf8.RuneCountInString(line) >= width {
		b.WriteString(line + "\n")
		line = ""
	}
	line += strings.Repeat(" ", width-utf8.RuneCountInString(line))
	start := len(line)
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > pageWidth && len(line) > start {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", width)
			start = width
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
