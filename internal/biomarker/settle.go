package biomarker

import "strings"

// Settle brings what a document wrote into the form of a biomarker's results, without
// changing what it says. Documents don't know of kinds: a number may come as text, a
// step of a scale as a number, and a word with the unit that it has not.
func (c *Catalogue) Settle(b *Biomarker, in *Incoming) {
	in.Text = strings.Join(strings.Fields(in.Text), " ")
	if b.Kind.numeric() {
		c.settleNumber(b, in)
	} else {
		settleWord(b, in)
	}
}

func (c *Catalogue) settleNumber(b *Biomarker, in *Incoming) {
	comparator, value, read := ReadWritten(in.Text)
	if in.Value.Present() || !read {
		if _, known := c.ReadUnit(b, in.Unit); !known && !in.Value.Present() {
			in.Text, in.Unit = withUnit(in.Text, in.Unit), ""
		}
		return
	}
	if _, known := c.ReadUnit(b, in.Unit); !known && strings.TrimSpace(in.Unit) == "" {
		return // a number without its unit says nothing certain: it stays a text
	}
	in.Comparator, in.Value, in.Text = comparator, value, ""
}

// settleWord makes a word of a number where results are words, such as 1 of a count of
// plus signs, and keeps a unit with it where the word does not say it all.
func settleWord(b *Biomarker, in *Incoming) {
	if in.Value.Present() {
		in.Text = string(in.Comparator) + in.Value.String()
		in.Value, in.Comparator = Decimal{}, Exactly
	}
	if b.scaleValue(&Result{Text: in.Text}) == "" {
		in.Text = withUnit(in.Text, in.Unit)
	}
	in.Unit = ""
}

func withUnit(text, unit string) string {
	return strings.TrimSpace(text + " " + strings.TrimSpace(unit))
}
