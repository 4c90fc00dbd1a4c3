package ui_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// wellMade holds every page to what all pages promise: careful headers, nothing inline, labels, landmarks, sound references.
func wellMade(t *testing.T, a answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: header %s is %q, want %q", a.Request.URL.Path, name, got, want)
		}
	}
	csp := a.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", a.Request.URL.Path, csp)
		}
	}
	doc, err := html.Parse(strings.NewReader(a.text))
	if err != nil {
		t.Fatal(err)
	}
	l := &lint{T: t, ids: map[string]bool{}, labels: map[string]bool{}, count: map[string]int{}}
	l.walk(doc, l.collect)
	l.walk(doc, l.check)
	for _, once := range []string{"h1", "main", "title", "header"} {
		if l.count[once] != 1 {
			t.Errorf("%s: %d × <%s>, want one", a.Request.URL.Path, l.count[once], once)
		}
	}
	if l.count["autofocus"] > 1 {
		t.Errorf("%s: focus is asked for %d times", a.Request.URL.Path, l.count["autofocus"])
	}
}

type lint struct {
	*testing.T
	ids, labels map[string]bool
	count       map[string]int
}

func (l *lint) walk(n *html.Node, visit func(n *html.Node, attr map[string]string)) {
	if n.Type == html.ElementNode {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		visit(n, attr)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		l.walk(c, visit)
	}
}

func (l *lint) collect(n *html.Node, attr map[string]string) {
	l.count[n.Data]++
	if _, ok := attr["autofocus"]; ok {
		l.count["autofocus"]++
	}
	if id := attr["id"]; id != "" {
		if l.ids[id] {
			l.Errorf("the id %q is given twice", id)
		}
		l.ids[id] = true
	}
	if n.Data == "label" {
		l.labels[attr["for"]] = true
	}
}

func (l *lint) check(n *html.Node, attr map[string]string) {
	for key := range attr {
		if strings.HasPrefix(key, "on") || key == "style" {
			l.Errorf("<%s> has the inline attribute %s", n.Data, key)
		}
	}
	for _, ref := range strings.Fields(attr["aria-describedby"] + " " + attr["aria-labelledby"]) {
		if !l.ids[ref] {
			l.Errorf("<%s> refers to the missing id %q", n.Data, ref)
		}
	}
	for _, key := range []string{"href", "src", "action"} {
		if v, ok := attr[key]; ok && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "#") && !stays(n.Data, v) {
			l.Errorf("<%s %s=%q> leads elsewhere", n.Data, key, v)
		}
	}
	switch n.Data {
	case "html":
		if attr["lang"] == "" {
			l.Error("the page has no language")
		}
	case "script":
		if attr["src"] == "" || n.FirstChild != nil {
			l.Error("the page has an inline script")
		}
	case "style":
		l.Error("the page has an inline style")
	case "form":
		if attr["method"] != "post" {
			l.Errorf("a form uses the method %q", attr["method"])
		}
	case "input":
		l.checkInput(attr)
	}
}

// stays says whether an address other than a path asks nobody for anything: a picture in itself, the app on this device.
func stays(tag, address string) bool {
	return tag == "img" && strings.HasPrefix(address, "data:image/png;base64,") || tag == "a" && strings.HasPrefix(address, "otpauth://totp/")
}

func (l *lint) checkInput(attr map[string]string) {
	if attr["type"] == "hidden" {
		return
	}
	if !l.labels[attr["id"]] && attr["aria-label"] == "" {
		l.Errorf("the input %q has no label", attr["name"])
	}
	if attr["autocomplete"] == "" {
		l.Errorf("the input %q does not say what it is for password managers", attr["name"])
	}
	if attr["type"] == "password" && attr["value"] != "" {
		l.Errorf("the password of %q is written into the page", attr["name"])
	}
	if attr["aria-invalid"] == "true" && !l.ids[attr["id"]+"-error"] {
		l.Errorf("the mistake of %q is not explained", attr["name"])
	}
}
