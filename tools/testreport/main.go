// Command testreport reads what go test -json prints and says it so that the reason of a failure stands at the end: the
// "ok" lines as they come, then whatever was skipped, then the output of what failed, then one line with the counts.
//
// It exits with 1 when something failed, when nothing ran, and with -noskip also when something was skipped.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	noskip := flag.Bool("noskip", false, "a skipped test is a failure")
	flag.Parse()
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !r.finish(*noskip) {
		os.Exit(1)
	}
}
