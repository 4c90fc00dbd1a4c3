package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const (
		pass = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
		ok   = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n"
		skip = `{"Action":"output","Package":"p","Test":"TestS","Output":"s_test.go:1: no browser\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"TestS"}` + "\n"
		fail = `{"Action":"output","Package":"p","Test":"TestF/x","Output":"f_test.go:9: got 1\n"}` + "\n" +
			`{"Action":"fail","Package":"p","Test":"TestF/x"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestF"}` + "\n" +
			`{"Action":"fail","Package":"p"}` + "\n"
		broken = `{"Action":"build-output","ImportPath":"p","Output":"p.go:3: undefined\n"}` + "\n" +
			`{"Action":"build-fail","ImportPath":"p"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
		panics = `{"Action":"output","Package":"p","Test":"TestP","Output":"panic: test timed out\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
	)
	tests := map[string]struct {
		in     string
		noskip bool
		well   bool
		want   []string
	}{
		"all passed":               {pass + ok, true, true, []string{"ok  \tp", "1 passed, 0 failed, 0 skipped"}},
		"nothing ran":              {ok, false, false, []string{"0 passed"}},
		"a skip is allowed":        {pass + skip + ok, false, true, []string{"no browser", "1 skipped"}},
		"a skip is not allowed":    {pass + skip + ok, true, false, []string{"--- SKIP p TestS", "no browser", "1 skipped"}},
		"a subtest failed":         {pass + fail, false, false, []string{"--- FAIL p TestF/x\nf_test.go:9: got 1", "2 failed"}},
		"it does not compile":      {pass + broken, false, false, []string{"p.go:3: undefined", "--- FAIL p\n", "1 failed"}},
		"the package ended early":  {pass + panics, false, false, []string{"panic: test timed out", "1 failed"}},
		"words that are no events": {"go: no such module\n", false, false, []string{"no such module"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(tt.in)); err != nil {
				t.Fatal(err)
			}
			if got := r.finish(tt.noskip); got != tt.well {
				t.Errorf("well: got %v, want %v", got, tt.well)
			}
			for _, w := range tt.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("no %q in:\n%s", w, out.String())
				}
			}
		})
	}
}
