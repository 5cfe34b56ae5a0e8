package dev

import (
	_ "embed"
	"encoding/binary"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

//go:embed words.txt
var wordList string

// passwordWords is how many words make a password: with more than a thousand
// to choose from, four are 40 bits.
const passwordWords = 4

// NewPassword makes a password that is easy to read out and to type: four
// English words, joined by hyphens.
func NewPassword(w loop.World) string {
	all := strings.Fields(wordList)
	chosen := make([]string, passwordWords)
	for i := range chosen {
		chosen[i] = all[below(w, len(all))]
	}
	return strings.Join(chosen, "-")
}

// below draws a number from 0 to n-1, each as likely as the others: what falls
// into the incomplete last round of 2³² is drawn again.
func below(w loop.World, n int) int {
	size := uint64(n) //nolint:gosec // G115: the length of a list
	limit := (uint64(1) << 32) / size * size
	for {
		var raw [4]byte
		_, _ = w.Read(raw[:])
		if drawn := uint64(binary.BigEndian.Uint32(raw[:])); drawn < limit {
			return int(drawn % size) //nolint:gosec // G115: smaller than n
		}
	}
}
