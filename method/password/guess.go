package password

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// commonList holds passwords and given names, folded, one a line, sorted by bytes: common.LICENSE.txt says from where.
//
//go:embed common.txt
var commonList string

// unpredictable is how many characters of a password must not follow from the one before.
const unpredictable = 5

// fold makes passwords that an attacker tries together look alike.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// common says whether a password is on the list, as it is or with digits and symbols in place of letters, alone or dressed
// up with fewer than eight digits and symbols before and after.
func common(folded string) bool {
	core := strings.TrimFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	if listed(folded) || listed(unleet(folded)) {
		return true
	}
	dress := utf8.RuneCountInString(folded) - utf8.RuneCountInString(core)
	return dress < slack && (listed(core) || listed(unleet(core)))
}

// about says whether a password is little more than words that belong to the person or the place.
func about(folded string, context []string) bool {
	rest := folded
	found := false
	for _, word := range words(context) {
		if without := strings.ReplaceAll(rest, word, ""); without != rest {
			rest, found = without, true
		}
	}
	return found && utf8.RuneCountInString(rest) < slack
}

// words splits names and addresses into words of at least four characters, at most 64 of them.
func words(context []string) []string {
	var all []string
	for _, c := range context {
		if len(c) > 4*MaxLength {
			continue
		}
		whole := fold(c)
		parts := strings.FieldsFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, w := range append(parts, strings.Join(parts, "")) {
			if utf8.RuneCountInString(w) >= 4 && len(all) < 64 {
				all = append(all, w)
			}
		}
	}
	return all
}

// predictable says whether a password repeats a shorter one, or consists of runs along the alphabet, the digits or a row
// of the keyboard: fewer than five of its characters do not follow from the one before.
func predictable(folded string) bool {
	if n := len(folded); n > 1 && strings.Contains((folded + folded)[1:2*n-1], folded) {
		return true // a rotation of itself: some unit, repeated
	}
	surprises := 0
	before := rune(-1)
	for _, r := range folded {
		if !follows(before, r) {
			surprises++
		}
		before = r
	}
	return surprises < unpredictable
}

// follows says whether b is what a lazy hand types after a.
func follows(a, b rune) bool {
	if d := b - a; d >= -1 && d <= 1 {
		return true
	}
	const rows = "12345678901 qwertyuiop[] asdfghjkl;' zxcvbnm,./"
	pair := string([]rune{a, b})
	back := string([]rune{b, a})
	return a != ' ' && b != ' ' && (strings.Contains(rows, pair) || strings.Contains(rows, back))
}

// unleet reads digits and symbols as the letters that they stand in for.
func unleet(s string) string {
	return strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(s)
}

// listed looks a word up by binary search over the bytes of the list, which so costs no memory beyond the binary's.
func listed(word string) bool {
	if word == "" || strings.Contains(word, "\n") {
		return false
	}
	low, high := 0, len(commonList)
	for low < high {
		middle := (low + high) / 2
		start := strings.LastIndexByte(commonList[:middle], '\n') + 1
		end := start + strings.IndexByte(commonList[start:], '\n')
		switch line := commonList[start:end]; {
		case line == word:
			return true
		case line < word:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
