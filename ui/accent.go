package ui

import (
	"errors"
	"fmt"
	"math"
	"strconv"
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

func (c colour) toward(to colour, part float64) colour {
	for i := range c {
		c[i] += (to[i] - c[i]) * part
	}
	return c
}

// legible moves c away from the surface until text in it passes AA (4.5 to 1), with a little to spare for rounding.
func legible(c, surface colour) colour {
	away := colour{1, 1, 1}
	if surface.luminance() > 0.2 {
		away = colour{}
	}
	for part := 0.0; part < 1; part += 0.02 {
		if moved := c.toward(away, part); contrast(moved, surface) >= 4.6 {
			return moved
		}
	}
	return away
}

// inkOn is the text colour on a surface of colour c: whichever of white and near-black is read better.
func inkOn(c colour) colour {
	white, black := colour{1, 1, 1}, colour{0.04, 0.05, 0.06}
	if contrast(white, c) >= contrast(black, c) {
		return white
	}
	return black
}

// themeCSS is the part of the style that depends on the accent.
func themeCSS(accent colour) []byte {
	onLight, onDark := surfaces()
	light, dark := legible(accent, onLight), legible(accent, onDark)
	return fmt.Appendf(nil, ":root {\n\t--accent: light-dark(%s, %s);\n\t--on-accent: light-dark(%s, %s);\n}\n", light, dark, inkOn(light), inkOn(dark))
}
