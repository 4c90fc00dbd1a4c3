package ui

import "testing"

func TestAccentIsLegibleInBothThemes(t *testing.T) {
	t.Parallel()
	onLight, onDark := surfaces()
	for _, name := range []string{"#1d6b57", "#000000", "#ffffff", "#ffee00", "#ff0000", "#0000ff", "#808080", "#010000", "#00ff00", "#7f7fff"} {
		accent, err := parseColour(name)
		if err != nil {
			t.Fatal(err)
		}
		if accent.String() != name {
			t.Errorf("%s is written as %s", name, accent)
		}
		look := newTheme(accent)
		for surface, c := range map[colour]colour{onLight: look.light, onDark: look.dark} {
			if got := contrast(c, surface); got < 4.5 {
				t.Errorf("%s became %s: %.2f to 1 as text", name, c, got)
			}
			if got := contrast(c, inkOn(c)); got < 4.5 {
				t.Errorf("%s became %s: %.2f to 1 under text", name, c, got)
			}
		}
	}
}
