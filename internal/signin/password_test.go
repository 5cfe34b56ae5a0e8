package signin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

func TestPasswords_WhatAnybodyWouldTryCannotBeChosen(t *testing.T) {
	t.Parallel()
	passwords := signin.Passwords{Passwords: credential.NewPasswords(loop.Machine{}, 1)}
	for name, typed := range map[string]string{
		"eight spaces":                               "        ",
		"spaces of other widths":                     "\u2003\u2003\u3000\u3000\u00a0\u00a0\u2003\u2003",
		"one letter":                                 "aaaaaaaa",
		"one letter of another script":               "жжжжжжжж",
		"one letter of a script outside the BMP":     strings.Repeat("\U0001e900", 8),
		"one letter in both cases":                   "ЖжЖжЖжЖж",
		"one letter, with spaces between":            "あ あ あ あ あ あ あ あ",
		"one digit":                                  "11111111",
		"one character that is not a letter":         "………………………………",
		"one letter with its mark, in two spellings": "éééé" + strings.Repeat("e\u0301", 4),
		"a common one":                               "Password123",
		"the address":                                "ada@members.example",
		"seven characters":                           "ж3!a b2",
	} {
		_, err := passwords.Choose(t.Context(), typed, "ada@members.example")
		if fault, ok := errors.AsType[*loop.Error](err); !ok || fault.Code != loop.ValidationError || fault.Field != "password" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, typed := range []string{"jaja nein", "жжжжжжжз", "a few words work well", "aaaaaaa b"} {
		if _, err := passwords.Choose(t.Context(), typed, "ada@members.example"); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
