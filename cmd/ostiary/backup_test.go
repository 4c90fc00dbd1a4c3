package main

import (
	"bytes"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// damage copies a file with a fault: damage cut|flip|newer FILE COPY
func damage(ts *testscript.TestScript, _ bool, args []string) {
	text := []byte(ts.ReadFile(args[1]))
	switch args[0] {
	case "cut":
		text = text[:len(text)-1]
	case "flip":
		text[len(text)/2] ^= 1
	case "newer":
		text = bytes.Replace(text, []byte(`"schema":1`), []byte(`"schema":9`), 1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o600))
}
