package apikey

import (
	"strings"
	"testing"
)

// FuzzWellFormed: nothing is taken that has another checksum, another length or other characters.
func FuzzWellFormed(f *testing.F) {
	f.Add(newText(false))
	f.Add(newText(true))
	f.Add("ost_live_")
	f.Add("ost_live_" + strings.Repeat("0", randomLen+sumLen))
	f.Fuzz(func(t *testing.T, text string) {
		if !wellFormed(text) {
			return
		}
		body, sum := text[:len(text)-sumLen], text[len(text)-sumLen:]
		if len(text) != textLen || checksum(body) != sum || strings.Trim(text[len(livePrefix):], digits) != "" {
			t.Errorf("%q was taken", text)
		}
		if wellFormed(text+"0") || wellFormed(text[1:]) {
			t.Errorf("something beside %q was taken", text)
		}
	})
}

func TestNewTextsAreWellFormedAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 1000 {
		text := newText(i%2 == 0)
		if !wellFormed(text) || seen[text] {
			t.Fatalf("got %q", text)
		}
		seen[text] = true
	}
}
