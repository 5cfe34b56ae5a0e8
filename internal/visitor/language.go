package visitor

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// languageLifetime is how long a browser keeps the language that was chosen in it.
const languageLifetime = 365 * 24 * time.Hour

// Language is the language of the request's answer. The first wish that there is a
// language for decides: what the member chose on the way to an app, what the app asks
// for (ui_locales), the language of the account that is signed in, what was chosen in
// this browser, and what the browser says by Accept-Language.
func (v *Visitors) Language(r *http.Request) *locale.Language {
	wishes := append(web.LanguageWishes(r.Context()), v.language.Read(r), strings.Join(r.Header.Values("Accept-Language"), ","))
	return v.texts.Match(wishes...)
}

// noteJourney notes which language a journey goes on in.
func noteJourney(ctx context.Context, c oauth.Continuation) {
	web.NoteLanguage(ctx, web.OnTheWay, c.Progress.Language)
	web.NoteLanguage(ctx, web.AskedByApp, asList(c.Parameters.Get("ui_locales")))
}

// asList writes ui_locales, tags with spaces between them, as Accept-Language does.
func asList(tags string) string { return strings.Join(strings.Fields(tags), ",") }

// ChooseLanguage keeps the language that was chosen in a browser, and on the way.
func (v *Visitors) ChooseLanguage(w http.ResponseWriter, j Journey, l *locale.Language) Journey {
	v.language.Set(w, l.Tag, languageLifetime)
	return v.Progress(j, func(p *oauth.Progress) { p.Language = l.Tag })
}

// KnownLanguage finds a language by its tag; ValidationError where there is none.
func (v *Visitors) KnownLanguage(tag string) (*locale.Language, error) {
	if l := v.texts.Known(tag); l != nil {
		return l, nil
	}
	return nil, loop.Errorf(loop.ValidationError, "Choose one of the languages %s.", strings.Join(v.texts.Tags(), ", ")).About("language")
}
