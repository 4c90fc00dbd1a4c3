package redis

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/valkey-io/valkey-go"
)

// What the library may take of this machine.
const (
	cacheBytes  = 32 << 20 // for each connection
	bufferBytes = 64 << 10
	retryDelay  = 5 * time.Millisecond
	refresh     = 5 * time.Second // of the topology of Cluster and Sentinel
)

// Check finds what is wrong with a URL without connecting.
func Check(rawURL string) error {
	_, err := Config{URL: rawURL, Timeout: time.Second}.option()
	return err
}

func (c Config) option() (valkey.ClientOption, error) {
	var none valkey.ClientOption
	u, err := url.Parse(c.URL)
	if err != nil {
		return none, errors.New("it is not a URL; write special characters of a password as %XX")
	}
	if !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme) {
		return none, errors.New("want redis://, rediss:// or unix://")
	}
	query := u.Query()
	for name := range query {
		if !slices.Contains([]string{"addr", "master_set", "db", "ca"}, name) {
			return none, fmt.Errorf("the URL has the unknown parameter %q", name)
		}
	}
	option, err := valkey.ParseURL(c.URL)
	if err != nil {
		return none, errors.New("the URL names no server and database")
	}
	if option.TLSConfig != nil {
		option.TLSConfig.ServerName = "" // each host has its own
		if option.TLSConfig.RootCAs, err = authority(query.Get("ca")); err != nil {
			return none, err
		}
		option.Sentinel.TLSConfig = option.TLSConfig
	}
	option.DisableCache = c.CacheTTL == 0
	option.CacheSizeEachConn, option.ReadBufferEachConn, option.WriteBufferEachConn = cacheBytes, bufferBytes, bufferBytes
	option.Dialer.Timeout = c.Timeout / 2 // for connecting, and as much for the greeting
	option.Dialer.KeepAlive = time.Second
	option.ConnWriteTimeout = c.Timeout
	option.Sentinel.Dialer = option.Dialer
	option.Sentinel.TopologyRefreshInterval = refresh
	option.ClusterOption.ShardsRefreshInterval = refresh
	option.RetryDelay = once
	return option, nil
}

// once repeats what can be repeated one time, for a connection that was closed while nobody used it. More would be a storm.
func once(attempts int, _ valkey.Completed, _ error) time.Duration {
	if attempts > 1 {
		return -1
	}
	return retryDelay
}

// authority reads the certificates of an authority; nil: those of the system.
func authority(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read ca: %s holds no certificate", file)
	}
	return pool, nil
}
