package web

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// WriteJSON answers with v. Nothing of the API may be kept by a cache unless the handler said so before.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/json", v)
}

// WriteProblem answers with an RFC 9457 problem document.
func WriteProblem(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/problem+json", v)
}

func write(w http.ResponseWriter, status int, kind string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}
