package ostiary

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/store"
)

// The default limits of one source: generous for reads, narrower for what changes something.
var (
	rateRead  = store.Rate{Burst: 300, Every: 100 * time.Millisecond}
	rateWrite = store.Rate{Burst: 60, Every: time.Second}
)

func (r *Route) rate() store.Rate {
	switch {
	case r.Rate.Burst > 0:
		return r.Rate
	case r.method() == http.MethodGet:
		return rateRead
	default:
		return rateWrite
	}
}

// limitSource is the first thing that happens to a request: fixed memory, no store (R37).
func (a *Auth) limitSource(w http.ResponseWriter, route *Route, source netip.Addr) error {
	if a.cfg.InsecureNoRateLimits {
		return nil
	}
	rate := route.rate()
	got := a.sources.Take(route.Name, source, rate, a.now())
	writeRate(w.Header(), rate, got)
	if !got.OK {
		return errRateLimited.After(got.RetryAfter)
	}
	return nil
}

// writeRate tells the caller where he stands (draft-ietf-httpapi-ratelimit-headers).
func writeRate(h http.Header, rate store.Rate, got store.Allowance) {
	h.Set("RateLimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, rate.Burst, seconds(time.Duration(rate.Burst)*rate.Every)))
	h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, got.Remaining, seconds(got.Reset)))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
