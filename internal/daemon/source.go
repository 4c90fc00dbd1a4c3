package daemon

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/ostiary/ostiary/server"
)

const (
	variablePrefix = "OSTIARY_"
	configVariable = variablePrefix + "CONFIG"
)

// value is a setting from a variable or the YAML file, and where it stands.
type value struct{ text, place string }

// sources are where settings come from beside flags: variables win over the YAML file.
type sources struct {
	env    []string
	known  map[string]reflect.Type // of the settings, by name
	values map[string]value
	flags  map[string]bool // given as flags
}

// read collects everything before the parser fills in what no flag says.
func (s *sources) read(parsed *kong.Context) error {
	s.known, s.values, s.flags = settingTypes(), map[string]value{}, map[string]bool{}
	for _, path := range parsed.Path {
		if path.Flag != nil {
			s.flags[path.Flag.Name] = true
		}
	}
	file, variables := "", map[string]value{}
	for _, pair := range s.env {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		if name == configVariable {
			file = text
			continue
		}
		setting, err := s.variable(name)
		if err != nil {
			return err
		}
		if text != "" { // an empty variable is how compose files say that there is none
			variables[setting] = value{text, name}
		}
	}
	if s.flags["config"] {
		file = flagText(parsed, "config")
	}
	if file != "" {
		if err := s.readFile(file); err != nil {
			return err
		}
	}
	maps.Copy(s.values, variables)
	for name, v := range variables {
		if err := s.fits(name, v); err != nil {
			return err
		}
	}
	parsed.AddResolver(kong.ResolverFunc(s.resolve))
	return nil
}

func flagText(parsed *kong.Context, name string) string {
	for _, f := range parsed.Flags() {
		if f.Name == name {
			text, _ := parsed.FlagValue(f).(string)
			return text
		}
	}
	return ""
}

// resolve hands a setting to the parser, if no flag was given for it.
func (s *sources) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if v, ok := s.values[flag.Name]; ok && s.known[flag.Name] != nil {
		return v.text, nil
	}
	return nil, nil
}

// variable finds the setting of a variable. An unknown one is more likely misspelt than meant for somebody else.
func (s *sources) variable(name string) (string, error) {
	names := make([]string, 0, len(s.known))
	for setting := range s.known {
		if server.Variable(setting) == name {
			return setting, nil
		}
		names = append(names, server.Variable(setting))
	}
	return "", fmt.Errorf("unknown variable %s%s", name, suggestion(name, append(names, configVariable)))
}

// locate says where a wrong setting stands.
func (s *sources) locate(m *server.Mistake) error {
	v, ok := s.values[m.Name]
	switch {
	case s.flags[m.Name]:
		return fmt.Errorf("--%s: %s", m.Name, m.Text())
	case ok && strings.HasPrefix(v.place, variablePrefix):
		return fmt.Errorf("%s: %s", v.place, m.Text())
	case ok:
		return fmt.Errorf("%s: %s: %s", v.place, m.Name, m.Text())
	}
	return fmt.Errorf("%s: %s", m.Name, m.Text())
}

// settingTypes are the types of all settings by name.
func settingTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for field := range reflect.TypeFor[server.Config]().Fields() {
		if name := field.Tag.Get("name"); name != "" {
			types[name] = field.Type
		}
	}
	return types
}

// fits checks that a text is of the setting's type. It repeats the text unless that is a secret.
func (s *sources) fits(name string, v value) error {
	t := s.known[name]
	want := unfit(t, v.text)
	if want == "" {
		return nil
	}
	at := v.place
	if !strings.HasPrefix(at, variablePrefix) {
		at += ": " + name
	}
	return fmt.Errorf("%s: want %s, not %q", at, want, v.text)
}

// unfit says what a text should have been, "" when it fits.
func unfit(t reflect.Type, text string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var err error
	want := ""
	switch {
	case t == reflect.TypeFor[time.Duration]():
		_, err = time.ParseDuration(text)
		want = "a duration like 15m or 24h"
	case t == reflect.TypeFor[[]netip.Prefix]():
		for part := range strings.SplitSeq(text, ",") {
			_, wrong := netip.ParsePrefix(strings.TrimSpace(part))
			err = errors.Join(err, wrong)
		}
		want = "networks like 10.0.0.0/8"
	case t.Kind() == reflect.Bool:
		want = "true or false"
		if !slices.Contains([]string{"true", "false"}, text) {
			err = errors.New(want)
		}
	case t.Kind() == reflect.Int:
		_, err = strconv.Atoi(text)
		want = "a whole number"
	}
	if err == nil {
		return ""
	}
	return want
}
