package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ostiary/ostiary/server"
)

// maxFile bounds the YAML file, in bytes.
const maxFile = 64 << 10

// readFile takes over the settings of a YAML file.
func (s *sources) readFile(path string) error {
	text, private, err := slurp(path)
	if err != nil {
		return err
	}
	root, err := document(path, text)
	if err != nil || root == nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want settings like \"listen: 127.0.0.1:8080\", one a line", path, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if err := s.readSetting(path, root.Content[i], root.Content[i+1], private); err != nil {
			return err
		}
	}
	return nil
}

// slurp reads a file, and says whether only its owner can.
func slurp(path string) (text []byte, private bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, fmt.Errorf("read settings: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("read settings: %s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("read settings: %w", err)
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, false, fmt.Errorf("read settings: %w", err)
	}
	if len(text) > maxFile {
		return nil, false, fmt.Errorf("read settings: %s is larger than %d KiB", path, maxFile>>10)
	}
	return text, runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0, nil
}

// document parses exactly one document; nil: an empty file.
func document(path string, text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, syntaxError(path, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: want one document, without \"---\" between settings", path)
	}
	return first.Content[0], nil
}

// syntaxError puts the line where lines stand. What the parser quotes of the file is left out: it may be a secret.
func syntaxError(path string, err error) error {
	line := regexp.MustCompile(`line (\d+)`).FindStringSubmatch(err.Error())
	if line == nil {
		return fmt.Errorf("%s: this is not YAML", path)
	}
	return fmt.Errorf("%s:%s: this is not YAML", path, line[1])
}

func (s *sources) readSetting(path string, key, node *yaml.Node, private bool) error {
	place := fmt.Sprintf("%s:%d", path, key.Line)
	t, ok := s.known[key.Value]
	if !ok || key.Kind != yaml.ScalarNode {
		return fmt.Errorf("%s: unknown setting %q%s", place, clip(key.Value), suggestion(clip(key.Value), slices.Collect(maps.Keys(s.known))))
	}
	if before, twice := s.values[key.Value]; twice {
		return fmt.Errorf("%s: %s is set twice, first at %s", place, key.Value, before.place)
	}
	if t == reflect.TypeFor[server.Secret]() && !private {
		return fmt.Errorf("%s: others can read %s; fix it with: chmod 600 %s", place, key.Value, path)
	}
	text, err := scalars(t, node)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", place, key.Value, err)
	}
	v := value{text, place}
	s.values[key.Value] = v
	return s.fits(key.Value, v)
}

func clip(name string) string { return name[:min(len(name), 60)] }

// scalars writes a node as a flag would be written.
func scalars(t reflect.Type, node *yaml.Node) (string, error) {
	list := t.Kind() == reflect.Slice
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null" && node.Value != "":
		return node.Value, nil
	case node.Kind == yaml.ScalarNode:
		return "", errors.New("has no value; leave the line out for the default")
	case node.Kind == yaml.SequenceNode && list:
		return sequence(node)
	case list:
		return "", errors.New("want a list")
	}
	return "", errors.New("want one value")
}

func sequence(node *yaml.Node) (string, error) {
	parts := make([]string, len(node.Content))
	for i, item := range node.Content {
		if item.Kind != yaml.ScalarNode || item.Value == "" || strings.Contains(item.Value, ",") {
			return "", fmt.Errorf("want one plain value for each element of the list (line %d)", item.Line)
		}
		parts[i] = item.Value
	}
	return strings.Join(parts, ","), nil
}
