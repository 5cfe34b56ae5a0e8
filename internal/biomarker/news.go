package biomarker

import (
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/webhook"
)

// newsData is what the news of results says: which they are, and nothing of what is in
// them.
type newsData struct {
	Results []loop.ResultID `json:"biomarker_ids"`
}

// News gives the messages that say of a member's new results that they are there, and
// which of them are critical: by the laboratory's flag, or by limits that hold for
// everybody, since whose they are is not known here. Nil events: there is no news.
func (c *Catalogue) News(events *webhook.Composer, member loop.MemberID, added []Result) []outbox.Message {
	if events == nil {
		return nil
	}
	var all, critical newsData
	for i := range added {
		all.Results = append(all.Results, added[i].ID)
		if judged, err := c.Judge(&added[i], Person{}); err == nil && judged.Status == Critical {
			critical.Results = append(critical.Results, added[i].ID)
		}
	}
	var messages []outbox.Message
	if len(all.Results) > 0 {
		messages = append(messages, events.News(loop.ResultsParsedEvent, member, all))
	}
	if len(critical.Results) > 0 {
		messages = append(messages, events.News(loop.ResultCriticalEvent, member, critical))
	}
	return messages
}
