package inquiry

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

// TakeNews brings identity the news of a change of lab results (webhook.Taker).
func (c *Client) TakeNews(ctx context.Context, news webhook.News) error {
	body, err := json.Marshal(news)
	if err != nil {
		return err
	}
	address := c.host.JoinPath(newsPath, url.PathEscape(string(news.ID)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return c.send(r, body, &struct{}{})
}

// takeNews answers POST /internal/news/{id}.
func (s *Server) takeNews(w http.ResponseWriter, r *http.Request) error {
	var news webhook.News
	if err := json.NewDecoder(r.Body).Decode(&news); err != nil || string(news.ID) != r.PathValue("id") {
		return loop.Errorf(loop.InvalidRequest, "This is no news.")
	}
	if err := s.news.TakeNews(r.Context(), news); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, struct{}{})
}
