package loop

import "encoding/json"

// Notice is what a member has to read at their next sign-in: which text, and what it
// is filled in with. It is kept as JSON and becomes words where it is shown. Empty:
// nothing.
type Notice string

// The texts of notices.
const (
	// NoticeReused: an app was disconnected because a refresh token came twice. Its
	// argument is the app's name.
	NoticeReused = "notice.reused"
	// NoticeStayed: the member asked to leave, and signed in before they were erased.
	NoticeStayed = "notice.stayed"
)

// NewNotice makes a notice of a text and its arguments.
func NewNotice(text string, args ...string) Notice {
	encoded, _ := json.Marshal(append([]string{text}, args...)) // strings always encode
	return Notice(encoded)
}

// Parts gives the text and its arguments. Of a notice that an earlier release kept
// as a sentence, text is empty and the sentence its argument.
func (n Notice) Parts() (text string, args []string) {
	var parts []string
	if err := json.Unmarshal([]byte(n), &parts); err != nil || len(parts) == 0 {
		return "", []string{string(n)}
	}
	return parts[0], parts[1:]
}
