package portal

import "encoding/json"

// What is sealed into cookies. The kind keeps one from passing for another.
const (
	sealedSession = "session"
	sealedAttempt = "attempt"
	sealedSecret  = "secret"
	sealedForm    = "form"
	sealedPlay    = "play"
)

type sealed[T any] struct {
	Kind  string
	Value T
}

func seal[T any](s Sealer, kind string, value T) (string, error) {
	plain, err := json.Marshal(sealed[T]{kind, value})
	if err != nil {
		return "", err
	}
	return s.Seal(plain), nil
}

func open[T any](s Sealer, kind, text string) (value T, ok bool) {
	plain, err := s.Open(text)
	if err != nil {
		return value, false
	}
	var opened sealed[T]
	if err := json.Unmarshal(plain, &opened); err != nil || opened.Kind != kind {
		return value, false
	}
	return opened.Value, true
}
