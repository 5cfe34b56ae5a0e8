package asset

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

var (
	token = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)
	// text is what is written on what, and shape what must be seen beside what.
	text = []string{
		"ink on paper", "ink on surface", "ink on soft", "muted on paper", "muted on surface",
		"accent on paper", "accent on surface", "accent on soft", "accent on warn-soft", "on-accent on accent",
		"warn on paper", "warn on surface", "warn on warn-soft", "stop on paper", "stop on surface",
		"on-code on code", "code-muted on code", "code-text on code", "code-word on code",
	}
	shape = []string{"field on surface", "focus on paper", "focus on surface", "stop on surface"}
)

func TestWCAG22_1_4_3_1_4_11_ColoursAreToldApart(t *testing.T) {
	t.Parallel()
	light, dark, ok := strings.Cut(string(stylesheet), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "\n}\n")
	colours := make(map[string]string)
	for scheme, css := range []string{light, dark} {
		for _, found := range token.FindAllStringSubmatch(css, -1) { // dark changes some, and keeps the rest
			colours[found[1]] = found[2]
		}
		for least, pairs := range map[float64][]string{4.5: text, 3: shape} {
			for _, pair := range pairs {
				front, back, _ := strings.Cut(pair, " on ")
				if got := contrast(t, colours[front], colours[back]); got < least {
					t.Errorf("%s: %s is %.2f : 1, want %.1f", []string{"light", "dark"}[scheme], pair, got, least)
				}
			}
		}
	}
}

// contrast is the ratio of two colours' luminance (WCAG 2.2, "contrast ratio").
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a)+0.05, luminance(t, b)+0.05
	return max(x, y) / min(x, y)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var red, green, blue int
	if _, err := fmt.Sscanf(colour, "%02x%02x%02x", &red, &green, &blue); err != nil {
		t.Fatalf("%q is not a colour: %v", colour, err)
	}
	linear := func(channel int) float64 {
		c := float64(channel) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(red) + 0.7152*linear(green) + 0.0722*linear(blue)
}
