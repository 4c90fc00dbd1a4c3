package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mistake is a setting that cannot be. It is one line and never holds the value of a secret.
type Mistake struct {
	Name    string // of the setting
	Problem string
	Fix     string // "" when the problem says it
}

func (m *Mistake) Error() string { return m.Name + ": " + m.Text() }

// Text is the problem and its fix, without the name.
func (m *Mistake) Text() string {
	if m.Fix == "" {
		return m.Problem
	}
	return m.Problem + ": " + m.Fix
}

// Check finds the first mistake in the settings: a *[Mistake]. It touches no file.
func (c Config) Check() error {
	for _, f := range c.complete().review() {
		if f.Level == Wrong {
			return &Mistake{f.Name, f.Problem, f.Fix}
		}
	}
	return nil
}

// reviewers look at the settings that they are named after; what is not listed can hold nothing wrong.
func reviewers() map[string]func(Config) Finding {
	return map[string]func(Config) Finding{
		"listen": checkListen, "url": checkURL, "trusted-proxies": checkProxies, "allowed-hosts": checkHosts, "cors-origins": checkOrigins,
		"db": checkDB, "db-direct": checkDirect, "db-replica": checkReplica, "db-conns": checkConns, "redis": checkRedis, "master-key": checkMasterKey, "smtp": checkSMTP, "allow-mail-outbox": checkOutbox, "product": checkProduct,
		"signup": checkSignup, "require-verified-email": checkVerified, "password-hash": checkHash,
		"password-min-length": checkMinLength, "password-require": checkRequire, "breached-passwords-url": checkBreaches,
		"reset-ttl": func(c Config) Finding { return within(c.ResetTTL, 5*time.Minute, 24*time.Hour) },
		"passkey-attestation": func(c Config) Finding {
			return oneOf(string(c.PasskeyAttestation), "none", "indirect", "direct")
		},
		"related-origins": checkRelated,
		"magic-link-ttl":  func(c Config) Finding { return within(c.MagicLinkTTL, time.Minute, time.Hour) },
		"trust-devices": func(c Config) Finding {
			if c.TrustDevices == 0 {
				return Finding{}
			}
			return within(c.TrustDevices, time.Hour, 30*24*time.Hour)
		},
		"session-ttl": func(c Config) Finding { return within(c.SessionTTL, time.Minute, 400*24*time.Hour) },
		"session-idle-ttl": func(c Config) Finding {
			return within(c.SessionIdleTTL, time.Minute, c.SessionTTL)
		},
		"access-token-ttl": checkAccessTTL, "access-token-alg": checkAlg,
		"refresh-token-ttl": func(c Config) Finding { return within(c.RefreshTokenTTL, c.AccessTokenTTL, 400*24*time.Hour) },
		"key-rotation":      func(c Config) Finding { return within(c.KeyRotation, time.Hour, 90*24*time.Hour) },
		"audit-retention":   func(c Config) Finding { return within(c.AuditRetention, 24*time.Hour, 10*365*24*time.Hour) },
		"log-format":        func(c Config) Finding { return oneOf(c.LogFormat, "text", "json") },
		"log-level":         func(c Config) Finding { return oneOf(c.LogLevel, "debug", "info", "warn", "error") },
		"insecure-http":     func(c Config) Finding { return weakened(c.InsecureHTTP && !c.loopback(), "cookies are sent in clear") },
		"insecure-no-rate-limits": func(c Config) Finding {
			return weakened(c.InsecureNoRateLimits, "passwords can be guessed without limit")
		},
	}
}

// review judges every setting of a complete configuration, one finding each, in order.
func (c Config) review() []Finding {
	check := reviewers()
	var list []Finding
	for _, s := range c.Settings() {
		var f Finding
		if look := check[s.Name]; look != nil {
			f = look(c)
		}
		f.Name, f.Value = s.Name, s.Value
		f.Level = cmp.Or(f.Level, Good)
		list = append(list, f)
	}
	return list
}

func wrong(fix, format string, args ...any) Finding {
	return Finding{Level: Wrong, Problem: fmt.Sprintf(format, args...), Fix: fix}
}

func risky(fix, format string, args ...any) Finding {
	return Finding{Level: Risky, Problem: fmt.Sprintf(format, args...), Fix: fix}
}

func within(d, least, most time.Duration) Finding {
	if d < least || d > most {
		return wrong("", "%s is outside %s to %s", short(d), short(least), short(most))
	}
	return Finding{}
}

func oneOf(value string, known ...string) Finding {
	if slices.Contains(known, value) {
		return Finding{}
	}
	return wrong("", "%q is none of %s", value, strings.Join(known, ", "))
}

func weakened(on bool, what string) Finding {
	if on {
		return risky("turn it off", "%s", what)
	}
	return Finding{}
}
