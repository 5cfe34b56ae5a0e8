package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Negotiate chooses the media type of an answer by the request's Accept (RFC 9110
// §12.5.1): the one that the client prefers, the first offer among equals, and the
// first offer where there is no Accept. NotAcceptable where it accepts none.
func Negotiate(r *http.Request, offers ...string) (string, error) {
	ranges := parseAccept(strings.Join(r.Header.Values("Accept"), ","))
	if len(ranges) == 0 {
		return offers[0], nil
	}
	best, quality := "", 0.0
	for _, offer := range offers {
		if q := ranges.quality(offer); q > quality {
			best, quality = offer, q
		}
	}
	if best == "" {
		return "", loop.Errorf(loop.NotAcceptable, "This address answers %s. Name one of them in Accept, or leave Accept out.", strings.Join(offers, " and "))
	}
	return best, nil
}

// mediaRange is one part of an Accept header, such as text/*;q=0.5.
type mediaRange struct {
	kind    string
	quality float64
}

type mediaRanges []mediaRange

// parseAccept reads an Accept header. A part that is malformed is passed over.
func parseAccept(header string) mediaRanges {
	var ranges mediaRanges
	for part := range strings.SplitSeq(header, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, sent := params["q"]; sent {
			if quality, err = strconv.ParseFloat(q, 64); err != nil || quality < 0 || quality > 1 {
				continue
			}
		}
		ranges = append(ranges, mediaRange{kind, quality})
	}
	return ranges
}

// quality is that of the most specific range that covers the media type; 0 where
// none does.
func (ranges mediaRanges) quality(offer string) float64 {
	group, _, _ := strings.Cut(offer, "/")
	for _, kind := range []string{offer, group + "/*", "*/*"} {
		for _, r := range ranges {
			if r.kind == kind {
				return r.quality
			}
		}
	}
	return 0
}
