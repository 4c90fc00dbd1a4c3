package mail

import (
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"maps"
	"path"
	"strings"
	text "text/template"
	"unicode"
)

// fallback is the locale that every template exists in.
const fallback = "en"

// maxWord is the longest name, device or source that a mail repeats, in characters.
const maxWord = 60

//go:embed templates
var embedded embed.FS

// Data is what the templates here are given. Templates of others may be given anything else.
type Data struct {
	Product string // what the person signs in to
	URL     string // its front page
	Link    string // what to open; "" in a mere notice
	Code    string // to type where the mail was asked for; "" when there is none
	Expires string // how long the link is good for, in words: "1 hour"
	Name    string // of the person; only for an address that was proven, else a stranger could write through us
	Email   string // the other address, where an address changes
	When    string // of what happened
	Source  string // from where
	Device  string // by what
	Factors []string
	Left    string // how many backup codes are left
}

// Templates makes messages. It is safe for concurrent use.
type Templates struct {
	pairs map[string]pair // by "en/verify"
}

// pair is one message in one locale: the text with its subject, and the HTML.
type pair struct {
	text *text.Template
	html *html.Template
}

// NewTemplates reads the embedded templates and, over them, file by file, those of overrides (nil for none): verify.txt
// and verify.html in a folder for each locale ("en", "pt-br"), which define "subject" (text only) and "body" for the
// locale's layout.txt and layout.html. Everything is parsed here, so mistakes show at start.
func NewTemplates(overrides fs.FS) (*Templates, error) {
	base, err := fs.Sub(embedded, "templates")
	if err != nil {
		return nil, fmt.Errorf("read mail templates: %w", err)
	}
	files := map[string]string{}
	for _, layer := range []fs.FS{base, overrides} {
		if layer == nil {
			continue
		}
		if err := read(layer, files); err != nil {
			return nil, fmt.Errorf("read mail templates: %w", err)
		}
	}
	t := &Templates{pairs: map[string]pair{}}
	for file := range files {
		key, found := strings.CutSuffix(file, ".txt")
		if !found || path.Base(key) == "layout" {
			continue
		}
		if t.pairs[key], err = parse(files, key); err != nil {
			return nil, fmt.Errorf("parse mail template %s: %w", key, err)
		}
	}
	return t, nil
}

// read collects locale/name.txt and .html files.
func read(layer fs.FS, files map[string]string) error {
	for _, pattern := range []string{"*/*.txt", "*/*.html"} {
		names, err := fs.Glob(layer, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			content, err := fs.ReadFile(layer, name)
			if err != nil {
				return err
			}
			files[strings.ToLower(path.Dir(name))+"/"+path.Base(name)] = string(content)
		}
	}
	return nil
}

func parse(files map[string]string, key string) (pair, error) {
	layout := func(ext string) string {
		if own, ok := files[path.Dir(key)+"/layout"+ext]; ok {
			return own
		}
		return files[fallback+"/layout"+ext]
	}
	page, ok := files[key+".html"]
	if !ok {
		return pair{}, errors.New("there is no HTML beside the text")
	}
	plain, err := text.New("mail").Funcs(text.FuncMap{"word": word}).Option("missingkey=error").Parse(layout(".txt"))
	if err == nil {
		plain, err = plain.Parse(files[key+".txt"])
	}
	if err != nil {
		return pair{}, err
	}
	rich, err := html.New("mail").Funcs(html.FuncMap{"word": word}).Option("missingkey=error").Parse(layout(".html"))
	if err == nil {
		rich, err = rich.Parse(page)
	}
	if err != nil {
		return pair{}, err
	}
	if plain.Lookup("subject") == nil || plain.Lookup("body") == nil || rich.Lookup("body") == nil {
		return pair{}, errors.New(`"subject" or "body" is not defined`)
	}
	return pair{plain, rich}, nil
}

// Check says which of the names have no template, so that this is found at start and not with the first mail.
func (t *Templates) Check(names ...string) error {
	for _, name := range names {
		if _, ok := t.pairs[fallback+"/"+name]; !ok {
			return fmt.Errorf("there is no mail template %q", name)
		}
	}
	return nil
}

// Render makes a message without a recipient, in the locale (BCP 47) or what comes nearest: pt-BR, pt, en. Data is a Data,
// or a map, in which Data's optional fields may be absent; a template that asks for another absent key is an error.
func (t *Templates) Render(name, locale string, data any) (Message, error) {
	p, ok := t.find(name, locale)
	if !ok {
		return Message{}, fmt.Errorf("there is no mail template %q", name)
	}
	data = complete(data)
	var subject, plain, rich strings.Builder
	err := errors.Join(p.text.ExecuteTemplate(&subject, "subject", data), p.text.Execute(&plain, data), p.html.Execute(&rich, data))
	if err != nil {
		return Message{}, fmt.Errorf("render mail %s: %w", name, err)
	}
	return Message{Subject: line(subject.String(), maxSubject), Text: plain.String(), HTML: rich.String()}, nil
}

func (t *Templates) find(name, locale string) (pair, bool) {
	for l := strings.ToLower(locale); l != ""; l = l[:max(0, strings.LastIndexByte(l, '-'))] {
		if p, ok := t.pairs[l+"/"+name]; ok {
			return p, true
		}
	}
	p, ok := t.pairs[fallback+"/"+name]
	return p, ok
}

// complete gives a map the optional keys that it lacks.
func complete(data any) any {
	given, ok := data.(map[string]any)
	if !ok {
		return data
	}
	all := map[string]any{"Name": "", "Code": "", "Expires": "", "When": "", "Source": "", "Device": "", "Left": "", "Factors": []string(nil)}
	maps.Copy(all, given)
	return all
}

// word makes what strangers wrote harmless in running text: one line, not long, and nothing that a mail program would
// turn into a link (evil.example becomes evil. example).
func word(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '/' || r == '@' || r == ':' && strings.HasPrefix(s[i:], "://"):
			b.WriteByte(' ')
		case unicode.IsLetter(r) && i > 0 && s[i-1] == '.':
			b.WriteByte(' ')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return line(b.String(), maxWord)
}

// line makes one line of at most that many characters.
func line(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
