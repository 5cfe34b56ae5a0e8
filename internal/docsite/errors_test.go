package docsite_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestEveryErrorURIThatARoleCanSendIsAPageAboutThatError(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	for _, nothing := range []string{platformtest.Identity + "/v1/nothing", platformtest.Clinical + "/v1/nothing"} {
		sent, _ := p.Post(t, nothing, nil, nil).JSON(t)["error_uri"].(string)
		page, request, _ := strings.Cut(sent, "?request=")
		pages, ok := strings.CutSuffix(page, string(loop.NotFound))
		if !ok || !strings.Contains(b.Get(sent).Text, `href="/requests/`+request+`"`) {
			t.Fatalf("%s sends the error_uri %q", nothing, sent)
		}
		for _, code := range loop.Codes() {
			if page := b.Get(pages + string(code)); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, ">"+string(code)+"</h1>") {
				t.Errorf("%s%s is answered with %d and is not about it", pages, code, page.StatusCode)
			}
		}
	}
}
