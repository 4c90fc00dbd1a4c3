package server

import (
	"context"
	"net/http"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// health answers the probes of whatever watches over the process: a part without a say in anything.
type health struct {
	ready func(ctx context.Context) error
}

func (h *health) Name() string { return "health" }

func (h *health) Routes(*ostiary.Engine) ([]ostiary.Route, error) {
	often := store.Rate{Burst: 1000, Every: 10 * time.Millisecond} // many probes may share the address of one balancer
	return []ostiary.Route{
		{
			Name: "healthz", Pattern: "GET /healthz", Access: ostiary.Public, CrossSite: true, Rate: often, Serve: ostiary.JSON(h.alive),
			Doc: "Answers while the process runs.",
		},
		{
			Name: "readyz", Pattern: "GET /readyz", Access: ostiary.Public, CrossSite: true, Rate: often, Serve: ostiary.JSON(h.check),
			Doc: "Answers 200 while the stores can be used, and 503 when they cannot.",
		},
	}, nil
}

type healthAnswer struct {
	Status string `json:"status"`
}

func (h *health) alive(context.Context, *ostiary.Call, *ostiary.None) (healthAnswer, error) {
	return healthAnswer{"ok"}, nil
}

func (h *health) check(ctx context.Context, _ *ostiary.Call, _ *ostiary.None) (healthAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := h.ready(ctx); err != nil {
		return healthAnswer{}, ostiary.Fail(http.StatusServiceUnavailable, "unavailable", "The stores cannot be used right now.").Because(err)
	}
	return healthAnswer{"ready"}, nil
}
