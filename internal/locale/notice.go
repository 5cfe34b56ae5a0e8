package locale

import (
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// maxArgument is how many letters of what others wrote a text repeats.
const maxArgument = 40

// Notice is what a member has to know, in this language. What others wrote, such as
// an app's name, is shortened.
func (l *Language) Notice(notice loop.Notice) string {
	key, written := notice.Parts()
	if key == "" {
		return strings.Join(written, " ") // a sentence that an earlier release kept
	}
	args := make([]any, len(written))
	for i, arg := range written {
		args[i] = Shorten(arg, maxArgument)
	}
	return l.Text(key, args...)
}

// Shorten cuts a text to so many letters at most, the mark that it was cut among them.
func Shorten(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most-1]) + "…"
}
