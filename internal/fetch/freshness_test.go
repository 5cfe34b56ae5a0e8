package fetch

import (
	"net/http"
	"testing"
	"time"
)

func TestGetFresh_RFC9111_4_2(t *testing.T) {
	t.Parallel()
	const date, later = "Mon, 03 Mar 2036 08:15:00 GMT", "Mon, 03 Mar 2036 09:15:00 GMT"
	for name, c := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"nothing is said":           {nil, 0},
		"max-age":                   {http.Header{"Cache-Control": {"public, max-age=600"}}, 10 * time.Minute},
		"max-age in capitals":       {http.Header{"Cache-Control": {"Max-Age=600"}}, 10 * time.Minute},
		"max-age in quotes":         {http.Header{"Cache-Control": {`max-age="600"`}}, 10 * time.Minute},
		"of two, the first":         {http.Header{"Cache-Control": {"max-age=60", "max-age=600"}}, time.Minute},
		"less its age":              {http.Header{"Cache-Control": {"max-age=600"}, "Age": {"540"}}, time.Minute},
		"older than its life":       {http.Header{"Cache-Control": {"max-age=600"}, "Age": {"601"}}, 0},
		"no-store":                  {http.Header{"Cache-Control": {"max-age=600, no-store"}}, 0},
		"no-cache":                  {http.Header{"Cache-Control": {"no-cache", "max-age=600"}}, 0},
		"that of shared caches":     {http.Header{"Cache-Control": {"s-maxage=600"}}, 0},
		"Expires":                   {http.Header{"Date": {date}, "Expires": {later}}, time.Hour},
		"Expires behind max-age":    {http.Header{"Date": {date}, "Expires": {later}, "Cache-Control": {"max-age=60"}}, time.Minute},
		"Expires that is no date":   {http.Header{"Date": {date}, "Expires": {"0"}}, 0},
		"Expires in the past":       {http.Header{"Date": {later}, "Expires": {date}}, 0},
		"no number":                 {http.Header{"Cache-Control": {"max-age=soon"}}, 0},
		"below zero":                {http.Header{"Cache-Control": {"max-age=-1"}}, 0},
		"beyond every machine word": {http.Header{"Cache-Control": {"max-age=99999999999999999999999"}}, (1<<31 - 1) * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := newOutside(t, func(w http.ResponseWriter, r *http.Request) {
				for name, values := range c.header {
					w.Header()[name] = values
				}
				keys(w, r)
			})
			body, fresh, err := client.GetFresh(t.Context(), page, "application/json")
			if err != nil || string(body) != `{"keys":[]}` || fresh != c.want {
				t.Errorf("it gives %q for %s, %v; want %s", body, fresh, err, c.want)
			}
		})
	}
	t.Run("what is refused is not fresh", func(t *testing.T) {
		t.Parallel()
		_, client := newOutside(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=600")
			w.WriteHeader(http.StatusNotFound)
		})
		if body, fresh, err := client.GetFresh(t.Context(), page, "application/json"); err == nil || body != nil || fresh != 0 {
			t.Errorf("it gives %q for %s, %v", body, fresh, err)
		}
	})
}
