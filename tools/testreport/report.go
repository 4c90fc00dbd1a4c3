package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of go test -json (go doc test2json), or of the build before it (go help buildjson).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// subject is a test, or with an empty test a whole package.
type subject struct{ pkg, test string }

func (s subject) String() string {
	if s.test == "" {
		return s.pkg
	}
	return s.pkg + " " + s.test
}

// report collects events.
type report struct {
	out     io.Writer
	said    map[subject]*strings.Builder // what each wrote and has not passed with
	build   strings.Builder              // what the compiler said, and whatever is no event
	passed  int
	failed  []subject // tests
	broken  []string  // packages
	skipped []subject
}

func newReport(out io.Writer) *report {
	return &report{out: out, said: map[subject]*strings.Builder{}}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		r.line(bytes.TrimSpace(line))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test events: %w", err)
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if len(line) == 0 {
		return
	}
	if json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(&r.build, "%s\n", line)
		return
	}
	s := subject{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output(s, e.Output)
	case "build-output":
		r.build.WriteString(e.Output)
	case "pass":
		delete(r.said, s)
		if e.Test != "" {
			r.passed++
		}
	case "skip":
		if e.Test != "" {
			r.skipped = append(r.skipped, s)
		}
	case "fail":
		if e.Test != "" {
			r.failed = append(r.failed, s)
		} else {
			r.broken = append(r.broken, e.Package)
		}
	}
}

func (r *report) output(s subject, text string) {
	if s.test == "" && strings.HasPrefix(text, "ok  \t") {
		fmt.Fprint(r.out, text)
		return
	}
	if r.said[s] == nil {
		r.said[s] = &strings.Builder{}
	}
	r.said[s].WriteString(text)
}

// finish writes the end of the report and says whether all is well.
func (r *report) finish(noskip bool) bool {
	for _, s := range r.skipped {
		fmt.Fprintf(r.out, "--- SKIP %s\n%s", s, r.text(s))
	}
	r.reasons()
	failed := len(r.failed) + r.silent()
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, failed, len(r.skipped))
	return failed == 0 && len(r.broken) == 0 && r.passed > 0 && (!noskip || len(r.skipped) == 0)
}

// reasons prints what failed: the compiler's words, the tests, and a package that ended without naming a test.
func (r *report) reasons() {
	if len(r.broken) > 0 || len(r.failed) > 0 || r.passed == 0 {
		fmt.Fprint(r.out, r.build.String())
	}
	for _, s := range r.failed {
		if r.parent(s) {
			continue
		}
		fmt.Fprintf(r.out, "\n--- FAIL %s\n%s", s, r.text(s))
	}
	for _, pkg := range r.broken {
		if r.names(pkg) {
			continue
		}
		fmt.Fprintf(r.out, "\n--- FAIL %s\n", pkg)
		for s := range r.said {
			if s.pkg == pkg {
				fmt.Fprint(r.out, r.text(s))
			}
		}
	}
}

// silent counts the packages that failed without a failed test: they did not compile, or ended early.
func (r *report) silent() int {
	n := 0
	for _, pkg := range r.broken {
		if !r.names(pkg) {
			n++
		}
	}
	return n
}

func (r *report) names(pkg string) bool {
	return slices.ContainsFunc(r.failed, func(s subject) bool { return s.pkg == pkg })
}

// parent says whether a failed test only passes on the failure of a subtest.
func (r *report) parent(s subject) bool {
	sub := slices.ContainsFunc(r.failed, func(o subject) bool { return o.pkg == s.pkg && strings.HasPrefix(o.test, s.test+"/") })
	return sub && !strings.Contains(r.text(s), ".go:")
}

func (r *report) text(s subject) string {
	if r.said[s] == nil {
		return ""
	}
	return r.said[s].String()
}
