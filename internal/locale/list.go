package locale

import "strings"

// Or joins things to a list of which one is meant, such as "a, b or c".
func (l *Language) Or(things []string) string {
	if len(things) < 2 {
		return strings.Join(things, "")
	}
	last := len(things) - 1
	return l.Text("language.or", strings.Join(things[:last], ", "), things[last])
}

// NameOf names the language of a tag; the tag where there is no name for it.
func (l *Language) NameOf(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	key := "language.of." + base
	if there, _ := l.Has(key); there {
		return l.Text(key)
	}
	return tag
}
