package server

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting is one field of a [Config] as people know it.
type Setting struct {
	Name   string // of the flag and the YAML key
	Value  string // as it would be written; of a secret only whether there is one
	Secret bool
}

// Variable is the name of the environment variable of a setting.
func Variable(name string) string {
	return "OSTIARY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Settings lists all settings in order, with the values that take effect.
func (c Config) Settings() []Setting {
	c = c.complete()
	var list []Setting
	for field, value := range reflect.ValueOf(&c).Elem().Fields() {
		name := field.Tag.Get("name")
		if name == "" {
			continue
		}
		_, secret := value.Interface().(Secret)
		list = append(list, Setting{Name: name, Value: text(value), Secret: secret})
	}
	return list
}

// text writes a value as in a flag.
func text(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprint(v.Index(i))
		}
		return strings.Join(parts, ",")
	case v.Kind() == reflect.Pointer && v.IsNil():
		return ""
	case v.Kind() == reflect.Pointer:
		return fmt.Sprint(v.Elem())
	}
	if d, ok := v.Interface().(time.Duration); ok {
		return short(d)
	}
	return fmt.Sprint(v)
}

// short writes 168h, not 168h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if s, found := strings.CutSuffix(s, "m0s"); found {
		s += "m"
		if s, found := strings.CutSuffix(s, "h0m"); found {
			return s + "h"
		}
		return s
	}
	return s
}

// complete puts the defaults in the place of zero values: those of the tags, then those that follow from other settings.
func (c Config) complete() Config {
	for field, value := range reflect.ValueOf(&c).Elem().Fields() {
		if usual := field.Tag.Get("default"); usual != "" && value.IsZero() {
			setText(value, usual)
		}
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.URL == "" {
		c.URL = "http://localhost" + c.Listen[max(0, strings.LastIndexByte(c.Listen, ':')):]
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if c.DB == "" {
		c.DB = Location(sqliteScheme + c.inData("ostiary.db"))
	}
	if c.MasterKey == "" && c.MasterKeyFile == "" {
		c.MasterKeyFile = c.inData("master.key")
	}
	if c.SessionIdleTTL == 0 {
		c.SessionIdleTTL = min(7*24*time.Hour, c.SessionTTL)
	}
	if c.SignupTells == nil {
		c.SignupTells = new(!c.RequireVerifiedEmail)
	}
	return c
}

// setText fills a field from its default tag, which TestDefaults keeps readable.
func setText(v reflect.Value, s string) {
	if _, ok := v.Interface().(time.Duration); ok {
		d, _ := time.ParseDuration(s)
		v.SetInt(int64(d))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int:
		n, _ := strconv.Atoi(s)
		v.SetInt(int64(n))
	}
}
