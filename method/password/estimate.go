package password

import (
	"math"
	"slices"
	"unicode"
)

// estimated is how many characters of a password are looked at: the time grows with the square of their number.
const estimated = 64

// maxWord is the longest word that is looked up.
const maxWord = 24

// part is a stretch of a password that is guessed in one go. Guesses are counted in powers of ten.
type part struct {
	from, to int
	kind     kind
	guesses  float64
}

// kind says what makes a part easy to guess.
type kind int

const (
	unknown kind = iota // nothing is known about it: every character is tried
	word
	run
	row
	repeated
	date
)

// What guessing a part costs, in powers of ten, after the reasoning of zxcvbn (D. Wheeler, USENIX Security 2016): an
// attacker knows the lists, the rows of the keyboard and the calendar, and tries the cheapest explanation first. An unknown
// character counts as ten guesses, which is what is left of an alphabet when people choose.
const (
	costUnknown = 1.0
	costWord    = 4.4 // one of 24,000
	costOwn     = 1.0 // the person's own words
	costDress   = 0.5 // capitals, or digits and symbols for letters
	costRun     = 1.5
	costRow     = 2.0
	costDate    = 2.5
	costPart    = 1.0 // finding out that there is one more part
)

// scores are the guesses from which on a score is reached: what a stolen slow hash, a fast one, or a page that does not
// limit its callers lets somebody try.
var scores = [...]float64{3, 6, 8, 10}

// estimate scores a password in its normal form by the cheapest way to put it together from parts.
func estimate(normal string, about []string) (score int, hint string) {
	seen := []rune(normal)
	seen = seen[:min(len(seen), estimated)]
	own := words(about)
	best := make([]float64, len(seen)+1)
	last := make([]part, len(seen)+1)
	for to := 1; to <= len(seen); to++ {
		best[to] = math.Inf(1)
		for from := max(0, to-estimated); from < to; from++ {
			p := cheapest(seen, from, to, own)
			if total := best[from] + p.guesses + costPart*float64(min(from, 1)); total < best[to] {
				best[to], last[to] = total, p
			}
		}
	}
	total := best[len(seen)]
	for score < len(scores) && total >= scores[score] {
		score++
	}
	return score, advise(score, weakest(last))
}

// weakest returns what the longest easy part is.
func weakest(last []part) kind {
	var longest part
	for to := len(last) - 1; to > 0; to = last[to].from {
		if p := last[to]; p.kind != unknown && p.to-p.from > longest.to-longest.from {
			longest = p
		}
	}
	return longest.kind
}

// cheapest is the best explanation of one stretch.
func cheapest(seen []rune, from, to int, own []string) part {
	stretch := seen[from:to]
	found := []part{{kind: unknown, guesses: costUnknown * float64(len(stretch))}}
	if len(stretch) >= 3 {
		found = append(found, alike(stretch)...)
	}
	if len(stretch) >= 3 && len(stretch) <= maxWord {
		found = append(found, spoken(stretch, own)...)
	}
	p := slices.MinFunc(found, func(a, b part) int {
		if a.guesses < b.guesses {
			return -1
		}
		return 1
	})
	p.from, p.to = from, to
	return p
}

// alike finds repetitions, sequences, rows of keys and years.
func alike(stretch []rune) (found []part) {
	long := math.Log10(float64(len(stretch)))
	same, sequence, keys := true, true, true
	step := stretch[1] - stretch[0]
	for i := 1; i < len(stretch); i++ {
		a, b := stretch[i-1], stretch[i]
		same = same && a == b
		sequence = sequence && b-a == step && (step == 1 || step == -1)
		keys = keys && follows(unicode.ToLower(a), unicode.ToLower(b))
	}
	if same {
		found = append(found, part{kind: repeated, guesses: costRun + long})
	}
	if sequence {
		found = append(found, part{kind: run, guesses: costRun + long})
	}
	if keys {
		found = append(found, part{kind: row, guesses: costRow + long})
	}
	if len(stretch) == 4 && year(string(stretch)) {
		found = append(found, part{kind: date, guesses: costDate})
	}
	return found
}

func year(s string) bool { return s >= "1900" && s <= "2059" && !unlike(s) }

func unlike(digits string) bool {
	for _, r := range digits {
		if r < '0' || r > '9' {
			return true
		}
	}
	return false
}

// spoken finds words of the list and of the person, as they are or dressed up.
func spoken(stretch []rune, own []string) (found []part) {
	as := string(stretch)
	folded := fold(as)
	plain := unleet(folded)
	dress := 0.0
	if folded != as {
		dress += costDress
	}
	for _, w := range []struct {
		text  string
		dress float64
	}{{folded, dress}, {plain, dress + costDress}} {
		if listed(w.text) {
			found = append(found, part{kind: word, guesses: costWord + w.dress})
		}
		if slices.Contains(own, w.text) {
			found = append(found, part{kind: word, guesses: costOwn + w.dress})
		}
	}
	return found
}

// advise says what would help, going by the longest part that is easy to guess.
func advise(score int, weakest kind) string {
	switch {
	case score > strongScore:
		return "This is hard to guess."
	case score == strongScore:
		return "This is good. One more word makes it better."
	}
	switch weakest {
	case row:
		return "Keys that lie side by side are easy to guess. Use several unrelated words."
	case repeated:
		return "Repeated characters are easy to guess. Use several unrelated words."
	case run:
		return "Sequences like abc or 123 are easy to guess. Use several unrelated words."
	case date:
		return "Years and dates are easy to guess. Use several unrelated words."
	case word:
		return "Common words and names are easy to guess. Add one or two more words that have nothing to do with them."
	}
	return "Add one or two more words. Longer is stronger."
}
