package ui_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// code is what an app shows for a secret (RFC 6238). Each works once, so the clock moves on first.
func (w *world) code(secret string) string {
	w.Helper()
	w.clock.advance(time.Minute)
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		w.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, w.clock.now().Unix()/30)
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1_000_000)
}

// joinsInTwoSteps signs somebody up and sets up an app. It returns the app's secret and the backup codes.
func (v *visitor) joinsInTwoSteps(email string) (secret string, codes []string) {
	v.w.Helper()
	v.joins(email, firstPw)
	a := v.post("/account/two-step", "do", "start")
	secret = hidden(a, "secret")
	a = v.post("/account/two-step", hiddenOf(a, "do", "confirm", "code", v.w.code(secret))...)
	v.shows(a, 200, "Keep your backup codes")
	for part := range strings.SplitSeq(a.text, "<li><code>") {
		if code, _, ok := strings.Cut(part, "</code></li>"); ok {
			codes = append(codes, code)
		}
	}
	return secret, codes
}

// hiddenOf are the hidden fields of a page's first form, with more fields after them, which win.
func hiddenOf(a answer, more ...string) []string {
	values := map[string]string{}
	doc, _ := html.Parse(strings.NewReader(a.text))
	for n := range doc.Descendants() {
		attr := map[string]string{}
		for _, at := range n.Attr {
			attr[at.Key] = at.Val
		}
		if n.Data == "input" && attr["type"] == "hidden" {
			if _, ok := values[attr["name"]]; !ok {
				values[attr["name"]] = attr["value"]
			}
		}
	}
	for i := 0; i < len(more); i += 2 {
		values[more[i]] = more[i+1]
	}
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, name, value)
	}
	return pairs
}

func hidden(a answer, name string) string {
	pairs := hiddenOf(a)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1]
		}
	}
	return ""
}
