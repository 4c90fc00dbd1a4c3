package password

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The limits of one look-up. A range of the public list has about 1,000 entries, 40 KB.
const (
	rangeTimeout = 1500 * time.Millisecond
	rangeBytes   = 1 << 20
	rangeCalls   = 8 // at a time; the others wait, within their timeout
	prefixDigits = 5
)

// Ranges looks passwords up at a server of the k-anonymity range protocol (https://haveibeenpwned.com/API/v3#PwnedPasswords):
// it is sent the first five hexadecimal digits of a SHA-1, and answers with the rest of every one that it knows.
type Ranges struct {
	base   string
	client *http.Client
}

// NewRanges makes a client for an endpoint, the URL before the digits: "https://api.pwnedpasswords.com/range/". It must be
// https, or http on this machine.
func NewRanges(endpoint string) (*Ranges, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("password ranges: the endpoint is not an absolute https URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("password ranges: the endpoint must have no user, query or fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("password ranges: the endpoint must be https, unless it is on this machine")
	}
	return &Ranges{
		base: strings.TrimRight(u.String(), "/") + "/",
		client: &http.Client{
			Timeout:       rangeTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: rangeCalls, MaxIdleConnsPerHost: 2,
				IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true,
			},
		},
	}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Breached implements [Breaches]. It takes at most 1.5 seconds; its errors never hold the digits.
func (r *Ranges) Breached(ctx context.Context, hash [sha1.Size]byte) (bool, error) {
	digits := strings.ToUpper(hex.EncodeToString(hash[:]))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+digits[:prefixDigits], nil)
	if err != nil {
		return false, fmt.Errorf("ask for a password range: %w", withoutURL(err))
	}
	req.Header.Set("Add-Padding", "true") // the length of an encrypted answer tells nothing
	req.Header.Set("User-Agent", "ostiary")
	resp, err := r.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask for a password range: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("ask for a password range: status %d", resp.StatusCode)
	}
	return inRange(resp.Body, digits[prefixDigits:])
}

// withoutURL drops what net/http says about the address, which ends in the digits.
func withoutURL(err error) error {
	if outer := new(url.Error); errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// inRange looks for a suffix, in capitals, among lines of the form SUFFIX:COUNT. A count of 0 is padding.
func inRange(body io.Reader, suffix string) (bool, error) {
	limited := &io.LimitedReader{R: body, N: rangeBytes}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, 4<<10), 4<<10)
	for lines.Scan() {
		if limited.N == 0 {
			break // the last line may have been cut
		}
		entry, count, ok := strings.Cut(lines.Text(), ":")
		if !ok || len(entry) != len(suffix) || !decimal(count) {
			return false, errors.New("read a password range: a line is not of the form SUFFIX:COUNT")
		}
		if strings.EqualFold(entry, suffix) {
			return strings.Trim(count, "0") != "", nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read a password range: %w", withoutURL(err))
	}
	if limited.N == 0 {
		return false, fmt.Errorf("read a password range: more than %d bytes", rangeBytes)
	}
	return false, nil
}

func decimal(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}
