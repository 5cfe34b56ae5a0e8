package mail

import (
	"bytes"
	_ "embed"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
)

// Mail is a rendered letter.
type Mail struct {
	ID       string // the same for each attempt; without a domain
	To       loop.Email
	Language string // BCP 47
	Subject  string
	Text     string
	HTML     string
	Link     string // that both lead to; empty: none
}

var (
	//go:embed letter.txt
	textLayout string
	//go:embed letter.html
	htmlLayout string

	asText = texttemplate.Must(texttemplate.New("letter.txt").Parse(textLayout))
	asHTML = htmltemplate.Must(htmltemplate.New("letter.html").Parse(htmlLayout))
)

// view is the data of both layouts.
type view struct {
	Language   string
	Subject    string
	Greeting   string
	Paragraphs []string
	Label      string // of the link; empty: there is none
	Link       string
	NotYou     string // what to do for who did not do it
	Footer     string
}

// maxArgument is how many letters of an argument a letter repeats: an app and a
// browser say of themselves what they are called.
const maxArgument = 60

// render writes a letter in a language.
func (d *Deliverer) render(letter Letter, l *locale.Language) (Mail, error) {
	args := make([]any, 0, len(letter.Args)+1)
	for _, arg := range letter.Args {
		args = append(args, locale.Shorten(arg, maxArgument))
	}
	say := func(part string, args ...any) string {
		key := "mail." + string(letter.Text) + "." + part
		if there, _ := l.Has(key); !there {
			return ""
		}
		return l.Text(key, args...)
	}
	v := view{
		Language: l.Tag, Subject: say("subject", args...), Greeting: l.Text("mail.greeting"),
		Paragraphs: strings.Split(say("body", append(args, l.Moment(letter.At))...), "\n\n"),
		Label:      say("link"), NotYou: say("not_you"), Footer: l.Text("mail.footer", d.Identity.Host),
	}
	if v.Label != "" {
		v.Link = d.link(letter)
	}
	var text, html bytes.Buffer
	if err := asText.Execute(&text, v); err != nil {
		return Mail{}, err
	}
	if err := asHTML.Execute(&html, v); err != nil {
		return Mail{}, err
	}
	return Mail{Language: l.Tag, Subject: v.Subject, Text: text.String(), HTML: html.String(), Link: v.Link}, nil
}

// securityPath is where a member looks after how they sign in.
const securityPath = "/account/security"

// link is where a letter leads: by its link, or to the page where the member looks
// after what the letter says.
func (d *Deliverer) link(letter Letter) string {
	path := letter.Link
	if path == "" {
		path = securityPath
	}
	return strings.TrimSuffix(d.Identity.String(), "/") + path
}
