package passkey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/ostiary/ostiary"
)

// CheckRelatedOrigins says what is wrong with a list of related origins: each must be an https origin, and browsers look
// at no more than five different names (WebAuthn §5.11).
func CheckRelatedOrigins(origins []string) error {
	if len(origins) == 0 {
		return nil
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("passkey: related origin %q is not an origin like https://www.example.com", o)
		}
	}
	if _, err := protocol.NewRelatedOrigins(origins...); err != nil {
		return fmt.Errorf("passkey: related origins: %w", err)
	}
	return nil
}

// relatedRoute serves the related origins at the root of the host, where browsers look.
func relatedRoute(origins []string) (ostiary.Route, error) {
	document, err := json.Marshal(struct {
		Origins []string `json:"origins"`
	}{origins})
	if err != nil {
		return ostiary.Route{}, fmt.Errorf("write related origins: %w", err)
	}
	return ostiary.Route{
		Name: "passkey.related", Pattern: "GET /.well-known/webauthn", Access: ostiary.Public, CrossSite: true,
		Doc: "The other origins whose pages may use the passkeys of this host (WebAuthn Level 3 §5.11).",
		Serve: ostiary.HTTP(func(w http.ResponseWriter, _ *http.Request, _ *ostiary.Call) error {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "public, max-age=3600")
			_, err := w.Write(document)
			return err
		}),
	}, nil
}
