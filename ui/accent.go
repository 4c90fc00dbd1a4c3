package ui

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// colour is sRGB, each channel from 0 to 1.
type colour [3]float64

// The surfaces that the accent must be read on, as in style.css: the darker light one, and the lighter dark one.
func surfaces() (light, dark colour) {
	return colour{0xf5 / 255.0, 0xf4 / 255.0, 0xf0 / 255.0}, colour{0x1d / 255.0, 0x20 / 255.0, 0x26 / 255.0}
}

func parseColour(s string) (colour, error) {
	if len(s) != 7 || s[0] != '#' {
		return colour{}, errors.New(`must have the form "#rrggbb"`)
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return colour{}, errors.New(`must have the form "#rrggbb"`)
	}
	return colour{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}, nil
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", byte(math.Round(c[0]*255)), byte(math.Round(c[1]*255)), byte(math.Round(c[2]*255)))
}

// luminance is WCAG 2.2's relative luminance.
func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// shade is c at another brightness, from 0 (black) by 1 (as it is) to 2 (white). It keeps the hue: what is brightened stays
// as vivid as it can before it turns pale.
func (c colour) shade(level float64) colour {
	if level <= 1 {
		return colour{c[0] * level, c[1] * level, c[2] * level}
	}
	vivid := max(c[0], c[1], c[2], 0.05)
	for i := range c {
		full := min(c[i]/vivid, 1)
		if level < 1.5 {
			c[i] += (full - c[i]) * (level - 1) * 2
		} else {
			c[i] = full + (1-full)*(level-1.5)*2
		}
	}
	return c
}

// legible moves c away from the surface until text in it passes AA (4.5 to 1), with a little to spare for rounding.
func legible(c, surface colour) colour {
	step, end := 0.02, colour{1, 1, 1}
	if surface.luminance() > 0.2 {
		step, end = -0.02, colour{}
	}
	for level := 1.0; level > 0 && level < 2; level += step {
		if moved := c.shade(level); contrast(moved, surface) >= 4.7 {
			return moved
		}
	}
	return end
}

// inkOn is the text colour on a surface of colour c: whichever of white and near-black is read better.
func inkOn(c colour) colour {
	white, black := colour{1, 1, 1}, colour{0.04, 0.05, 0.06}
	if contrast(white, c) >= contrast(black, c) {
		return white
	}
	return black
}

// theme is the accent as it is read on each surface.
type theme struct{ light, dark colour }

func newTheme(accent colour) theme {
	onLight, onDark := surfaces()
	return theme{legible(accent, onLight), legible(accent, onDark)}
}

// css is the part of the style that depends on the accent.
func (t theme) css() []byte {
	return fmt.Appendf(nil, ":root {\n\t--accent: light-dark(%s, %s);\n\t--on-accent: light-dark(%s, %s);\n}\n", t.light, t.dark, inkOn(t.light), inkOn(t.dark))
}

// paint puts the accent into the built-in mark, which is an image of its own and does not see the page's style.
func (t theme) paint(svg []byte) []byte {
	return []byte(strings.NewReplacer("@light-ink", inkOn(t.light).String(), "@dark-ink", inkOn(t.dark).String(), "@light", t.light.String(), "@dark", t.dark.String()).Replace(string(svg)))
}
