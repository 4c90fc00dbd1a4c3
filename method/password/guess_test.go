package password

import (
	"slices"
	"strings"
	"testing"
)

func TestCommonListIsSortedAndFolded(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(commonList, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) < 5000 {
		t.Errorf("%d lines, sorted: %t", len(lines), slices.IsSorted(lines))
	}
	for _, line := range lines {
		if fold(line) != line {
			t.Errorf("%q is not folded", line)
		}
		if !listed(line) {
			t.Errorf("%q is not found", line)
		}
	}
	for _, word := range []string{"", "\n", "0", "zzzzzzzzzzzzz", "not on any list", lines[0] + "\n" + lines[1]} {
		if listed(word) {
			t.Errorf("%q is found", word)
		}
	}
}
