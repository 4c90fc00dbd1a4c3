package ostiary

import "github.com/ostiary/ostiary/token"

// Settings are the effective settings that are no secret. Durations are written as in Go ("15m0s").
type Settings struct {
	URL                  string    `json:"url"`
	Product              string    `json:"product"`
	SignUp               SignUp    `json:"signup"`
	SignUpTells          bool      `json:"signup_tells"`
	RequireVerifiedEmail bool      `json:"require_verified_email"`
	Mail                 bool      `json:"mail"` // mail can be sent
	SessionTTL           string    `json:"session_ttl"`
	SessionIdleTTL       string    `json:"session_idle_ttl"`
	AccessTokenTTL       string    `json:"access_token_ttl"`
	RefreshTokenTTL      string    `json:"refresh_token_ttl"`
	AccessTokenAlg       token.Alg `json:"access_token_alg"`
	KeyRotation          string    `json:"key_rotation"`
	FirstPartyAudiences  []string  `json:"first_party_audiences"`
	AllowedHosts         []string  `json:"allowed_hosts"`
	CORSOrigins          []string  `json:"cors_origins"`
	TrustedProxies       []string  `json:"trusted_proxies"`
	Verifiers            []string  `json:"verifiers"` // methods that can check a known person again
	InsecureHTTP         bool      `json:"insecure_http"`
	InsecureNoRateLimits bool      `json:"insecure_no_rate_limits"`
}

// Settings returns the effective settings.
func (e *Engine) Settings() Settings {
	c := e.a.cfg
	proxies := []string{}
	for _, p := range c.Proxies {
		proxies = append(proxies, p.String())
	}
	return Settings{
		URL: e.a.issuer, Product: c.Product, SignUp: c.SignUp, SignUpTells: !c.SignUpQuiet,
		RequireVerifiedEmail: c.RequireVerifiedEmail, Mail: c.Mailer != nil,
		SessionTTL: c.Sessions.TTL.String(), SessionIdleTTL: c.Sessions.Idle.String(),
		AccessTokenTTL: c.Tokens.Access.String(), RefreshTokenTTL: c.Tokens.Refresh.String(),
		AccessTokenAlg: c.Tokens.Alg, KeyRotation: c.Tokens.Rotation.String(),
		FirstPartyAudiences: orEmpty(c.Tokens.Audiences), AllowedHosts: orEmpty(c.AllowedHosts), CORSOrigins: orEmpty(c.Origins),
		TrustedProxies: proxies, Verifiers: e.Verifiers(),
		InsecureHTTP: c.InsecureHTTP, InsecureNoRateLimits: c.InsecureNoRateLimits,
	}
}

func orEmpty(list []string) []string { return append([]string{}, list...) }
