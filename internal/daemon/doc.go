// Package daemon owns the command line: flags, variables and the YAML file, listening and stopping, and the commands that
// administer. Everything it serves is wired by package server.
package daemon
