// Command bench measures what the engine costs, each figure as a ratio to a ceiling of the same run: a bare net/http
// handler, a bare hash, a bare commit. Absolute rates of a shared machine mean little; ratios of interleaved rounds do.
//
//	go run ./bench            all tables, about two minutes
//	go run ./bench -only refresh -rounds 7
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// settings are the same for every table.
type settings struct {
	rounds int
	each   time.Duration // of one measurement in one round
	conns  int
}

// tables in the order in which they are printed.
var tables = []struct {
	name string
	run  func(s settings) error
}{
	{"requests", requests},
	{"refresh", refreshes},
	{"login", logins},
	{"flood", flood},
	{"start", starts},
	{"storm", storm},
	{"attack", attack},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		exit(child())
	}
	var s settings
	only := flag.String("only", "", "comma-separated names of tables")
	flag.IntVar(&s.rounds, "rounds", 5, "interleaved rounds; the medians are printed")
	flag.DurationVar(&s.each, "each", 2*time.Second, "length of one measurement")
	flag.IntVar(&s.conns, "conns", 32, "connections")
	flag.Parse()
	for _, t := range tables {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), t.name) {
			continue
		}
		fmt.Printf("\n## %s\n\n", t.name)
		if err := t.run(s); err != nil {
			exit(fmt.Errorf("%s: %w", t.name, err))
		}
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// series is one row: the figures of all rounds.
type series struct {
	name string
	vals []float64
}

func (s *series) add(v float64) { s.vals = append(s.vals, v) }

func median(vals []float64) float64 {
	if len(vals) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(vals))
	return sorted[len(sorted)/2]
}

// ratios divides round by round, so that a drift of the machine cancels out.
func ratios(s, ceiling *series) []float64 {
	out := make([]float64, len(s.vals))
	for i := range s.vals {
		out[i] = s.vals[i] / ceiling.vals[i]
	}
	return out
}

// printRatios prints rows against the first one.
func printRatios(unit string, aims map[string]float64, rows ...*series) {
	fmt.Printf("| | %s (median) | ratio to %s | min – max | aim |\n|---|---|---|---|---|\n", unit, rows[0].name)
	for _, r := range rows {
		q := ratios(r, rows[0])
		aim := ""
		if a, ok := aims[r.name]; ok {
			aim = fmt.Sprintf("≥ %.2f", a)
		}
		fmt.Printf("| %s | %.0f | %.3f | %.3f – %.3f | %s |\n", r.name, median(r.vals), median(q), slices.Min(q), slices.Max(q), aim)
	}
}
