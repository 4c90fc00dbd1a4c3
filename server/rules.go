package server

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/mail"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/secure"
	"github.com/ostiary/ostiary/token"
)

func checkListen(c Config) Finding {
	host, port, err := net.SplitHostPort(c.Listen)
	n, numErr := strconv.Atoi(port)
	if err != nil || numErr != nil || n < 0 || n > 65535 {
		return wrong("", "%q is not an address like 127.0.0.1:8080", c.Listen)
	}
	addr, err := netip.ParseAddr(host)
	if c.loopback() && host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return risky("set --url to the address that people use, or listen on 127.0.0.1", "others can connect, but links lead to %s", c.URL)
	}
	return Finding{}
}

// checkURL says in an operator's words what the engine demands of its base (R5).
func checkURL(c Config) Finding {
	const example = "use one like https://id.example.com"
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return wrong(example, "%q is not an absolute http or https URL", c.URL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return wrong(example, "it must have no user, query or fragment")
	case u.RawPath != "" || strings.Contains(u.Path, "//") || strings.ContainsAny(u.Path, "{}"):
		return wrong(example, "its path must be plain")
	case u.Scheme == "http" && u.Hostname() != "localhost" && !c.InsecureHTTP:
		return wrong("use https behind a proxy (or, knowing what that means, --insecure-http)", "%q is plain http on a host that is not localhost", c.URL)
	}
	return Finding{}
}

// loopback says whether the URL is for people at this machine.
func (c Config) loopback() bool {
	u, err := url.Parse(c.URL)
	return err == nil && loopback(u.Hostname())
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func checkProxies(c Config) Finding {
	if err := secure.Proxies(c.TrustedProxies).Valid(); err != nil {
		return wrong("", "%v", err)
	}
	if len(c.TrustedProxies) == 0 && strings.HasPrefix(c.URL, "https://") {
		return risky("name the network of the proxy that ends https", "everybody looks like the proxy, so one person's mistakes lock others out")
	}
	return Finding{}
}

func checkHosts(c Config) Finding {
	for _, h := range c.AllowedHosts {
		if u, err := url.Parse("//" + h); err != nil || h == "" || u.Host != h {
			return wrong("", "%q is not a host name", h)
		}
	}
	return Finding{}
}

func checkOrigins(c Config) Finding {
	for _, o := range c.CORSOrigins {
		if err := secure.ValidOrigin(o); err != nil {
			return wrong("write it as https://app.example.com", "%v", err)
		}
	}
	return Finding{}
}

func checkRelated(c Config) Finding {
	if err := passkey.CheckRelatedOrigins(c.RelatedOrigins); err != nil {
		return wrong("write them as https://www.example.com, at most five different names", "%v", err)
	}
	return Finding{}
}

func checkMasterKey(c Config) Finding {
	if c.MasterKey == "" {
		return Finding{}
	}
	if c.MasterKeyFile != "" {
		return wrong("give one of them", "master-key and master-key-file are both given")
	}
	if _, err := ostiary.ParseKey([]byte(c.MasterKey)); err != nil {
		return wrong("make one with: openssl rand -hex 32", "it is not 32 bytes in base64url or hexadecimal")
	}
	return Finding{}
}

func checkSMTP(c Config) Finding {
	switch {
	case c.SMTP != "" && c.SMTPFile != "":
		return wrong("give one of them", "smtp and smtp-file are both given")
	case c.SMTP == "" && c.SMTPFile == "" && !c.loopback() && !c.AllowMailOutbox:
		return risky("set --smtp", "no mail can be sent: forgotten passwords and unconfirmed addresses stay so")
	case c.SMTP != "":
		if _, err := mail.NewSMTP(mail.SMTPConfig{URL: string(c.SMTP)}); err != nil {
			return wrong("", "%v", err)
		}
	}
	return Finding{}
}

func checkOutbox(c Config) Finding {
	return weakened(c.AllowMailOutbox && !c.loopback(), "whoever reads the folder can sign in as anybody")
}

// canMail says whether there is any way for mail to go (R33).
func (c Config) canMail() bool {
	return c.SMTP != "" || c.SMTPFile != "" || c.AllowMailOutbox || c.loopback()
}

func checkVerified(c Config) Finding {
	if c.RequireVerifiedEmail && !c.canMail() {
		return wrong("set --smtp", "addresses cannot be verified, because no mail can be sent")
	}
	if c.RequireVerifiedEmail && *c.SignupTells {
		return wrong("leave out signup-tells", "registration cannot tell while addresses must be verified")
	}
	return Finding{}
}

func checkProduct(c Config) Finding {
	if len(c.Product) > 100 || strings.ContainsFunc(c.Product, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return wrong("", "it must be at most 100 bytes, without control characters")
	}
	return Finding{}
}

func checkSignup(c Config) Finding {
	return oneOf(string(c.Signup), string(ostiary.SignUpOpen), string(ostiary.SignUpInvite), string(ostiary.SignUpClosed))
}

func checkHash(c Config) Finding {
	p, err := phc.ParseParams(c.PasswordHash)
	if err != nil {
		return wrong("", "%s", strings.TrimPrefix(err.Error(), "parse password hash: "))
	}
	if total := p.Memory() * int64(password.Permits(p.Memory())); total > 2<<30 {
		return risky("choose a smaller m ('ostiary hash tune' helps)", "%d hashes at a time need %d MiB", password.Permits(p.Memory()), total>>20)
	}
	return Finding{}
}

func checkMinLength(c Config) Finding {
	if err := (password.Policy{MinLength: c.PasswordMinLength}).Validate(); err != nil {
		return wrong("", "%d is outside %d to %d", c.PasswordMinLength, password.LeastMinLength, password.MaxLength)
	}
	return Finding{}
}

func checkRequire(c Config) Finding {
	for _, class := range c.PasswordRequire {
		if err := (password.Policy{Require: []string{class}}).Validate(); err != nil {
			return wrong("", "%q is none of upper, lower, digit, symbol", class)
		}
	}
	return Finding{}
}

func checkBreaches(c Config) Finding {
	if _, err := c.breaches(); err != nil {
		return wrong("", "%s", strings.TrimPrefix(err.Error(), "password ranges: "))
	}
	return Finding{}
}

func checkAccessTTL(c Config) Finding {
	if f := within(c.AccessTokenTTL, time.Second, token.MaxLifetime); f.Problem != "" {
		return f
	}
	switch {
	case c.AccessTokenTTL < time.Minute:
		return risky("use 1m or more", "clocks that differ by seconds will refuse tokens")
	case c.AccessTokenTTL > time.Hour:
		return risky("use 1h or less", "a resource server without the revocation feed honours a stolen token for %s", short(c.AccessTokenTTL))
	}
	return Finding{}
}

func checkAlg(c Config) Finding {
	if !c.AccessTokenAlg.Valid() {
		return wrong("", "%q is none of ES256, EdDSA, RS256, PS256, HS256", string(c.AccessTokenAlg))
	}
	if c.AccessTokenAlg == token.HS256 {
		return risky("use ES256", "with HS256 nobody but this server can verify a token")
	}
	return Finding{}
}
