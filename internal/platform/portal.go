package platform

import (
	"context"
	"net/http"

	"github.com/loop-health/loop/internal/web"
)

func (p *Platform) buildPortal(context.Context) (http.Handler, error) {
	return web.NewSite(p.site(p.config.Developers)).Handler(), nil
}
