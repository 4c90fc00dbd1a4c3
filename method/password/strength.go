package password

import (
	"context"
	"errors"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/matching"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// estimated is how many characters of a password are looked at: the time grows with the square of their number and more.
// Measured for 64 characters, one core, Go 1.26: random 3 ms, words 2 ms; the worst that were found, rows of keys and
// digits, 8 ms. With the estimator's own reading of 4 as a, 1 as i or l and so on, 64 symbols took 700 ms, because it tries
// every combination; so that is switched off, and the password is estimated a second time with ours.
const estimated = 64

// The limits of estimates, which are CPU and nothing else.
const (
	estimateWait = 250 * time.Millisecond // for a place, before the answer is overloaded
	strongScore  = 3
	refusedScore = 1 // of a password that is refused, at most
)

// estimateRate lets somebody who types through, and nobody who wants the CPU.
func estimateRate() store.Rate { return store.Rate{Burst: 30, Every: time.Second} }

// estimators is how many estimates run at a time: half of the cores.
func estimators() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

type strengthInput struct {
	Password string `json:"password"`
	Email    string `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
}

// Strength is an estimate of a password that somebody types.
type Strength struct {
	Score      int    `json:"score"`          // 0 (guessed at once) to 4 (not guessed)
	Acceptable bool   `json:"acceptable"`     // the policy lets it through; stolen passwords are looked up only when it is set
	Code       string `json:"code,omitempty"` // of the Weakness when it is not acceptable
	Hint       string `json:"hint"`           // a sentence for people
}

// strength keeps nothing, logs nothing and asks nobody else.
func (m *Method) strength(ctx context.Context, _ *ostiary.Call, in *strengthInput) (Strength, error) {
	about := []string{in.Email, in.Name, m.kit.Product(), m.kit.Host()}
	normal, err := m.policy.Check(in.Password, about...)
	weak := new(Weakness)
	if err != nil && !errors.As(err, &weak) {
		return Strength{}, err
	}
	readable, tooLong := Normal(in.Password)
	if tooLong != nil {
		return Strength{Code: weak.Code, Hint: weak.Text}, nil
	}
	late := time.NewTimer(estimateWait)
	defer late.Stop()
	select {
	case m.estimators <- struct{}{}:
		defer func() { <-m.estimators }()
	case <-late.C:
		return Strength{}, errOverloaded.After(time.Second)
	case <-ctx.Done():
		return Strength{}, ctx.Err()
	}
	score, hint := estimate(readable, about)
	if normal == "" {
		return Strength{Score: min(score, refusedScore), Code: weak.Code, Hint: weak.Text}, nil
	}
	return Strength{Score: score, Acceptable: true, Hint: hint}, nil
}

// estimate scores a password in its normal form, as it is and with letters for the digits and symbols that stand in for
// them. The lower score counts.
func estimate(normal string, about []string) (score int, hint string) {
	seen := cut(normal)
	known := words(about)
	result := zxcvbn.PasswordStrength(seen, known, matching.FilterL33tMatcher)
	if plain := unleet(seen); plain != seen {
		if other := zxcvbn.PasswordStrength(plain, known, matching.FilterL33tMatcher); other.Score < result.Score {
			result = other
		}
	}
	return result.Score, advise(result.Score, result.MatchSequence)
}

// cut returns the first characters of a text.
func cut(s string) string {
	if utf8.RuneCountInString(s) <= estimated {
		return s
	}
	return string([]rune(s)[:estimated])
}

// advise says what would help, going by the longest part that is easy to guess.
func advise(score int, parts []match.Match) string {
	switch {
	case score > strongScore:
		return "This is hard to guess."
	case score == strongScore:
		return "This is good. One more word makes it better."
	}
	longest := match.Match{}
	for _, p := range parts {
		if p.Pattern != "bruteforce" && p.J-p.I >= longest.J-longest.I {
			longest = p
		}
	}
	switch longest.Pattern {
	case "spatial":
		return "Keys that lie side by side are easy to guess. Use several unrelated words."
	case "repeat":
		return "Repeated characters are easy to guess. Use several unrelated words."
	case "sequence":
		return "Sequences like abc or 123 are easy to guess. Use several unrelated words."
	case "dictionary":
		return "Common words and names are easy to guess. Add one or two more words that have nothing to do with them."
	}
	return "Add one or two more words. Longer is stronger."
}
