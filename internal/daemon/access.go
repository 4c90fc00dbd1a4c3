package daemon

import (
	"log/slog"
	"net/http"
	"time"
)

// logged writes a line for each request, when the level is debug. Of the address only the path is written: queries hold
// tokens of mails.
func logged(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", answer.status, "bytes", answer.bytes,
				"took", time.Since(start).String(), "peer", r.RemoteAddr, "request_id", w.Header().Get("X-Request-Id"))
		}()
		next.ServeHTTP(answer, r)
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
