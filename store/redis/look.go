package redis

import (
	"context"
	"strings"

	"github.com/valkey-io/valkey-go"
)

// Health is what an operator should know about the servers.
type Health struct {
	// Policy is the maxmemory-policy by which a full server throws away what it should keep; "" where none does.
	Policy string
	// Empties says that a restarted server comes back empty: it keeps neither snapshots nor an append-only file.
	Empties bool
}

// Look asks every server that the client knows.
func (s *Store) Look(ctx context.Context) (Health, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var all Health
	for _, node := range s.client.Nodes() {
		one, err := look(ctx, node)
		if err != nil {
			return Health{}, fault("look at server", err)
		}
		if one.Policy != "" {
			all.Policy = one.Policy
		}
		all.Empties = all.Empties || one.Empties
	}
	return all, nil
}

func look(ctx context.Context, node valkey.Client) (Health, error) {
	text, err := node.Do(ctx, node.B().Info().Build()).ToString()
	if err != nil {
		return Health{}, err
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[name] = value
	}
	var h Health
	if policy := info["maxmemory_policy"]; policy != "noeviction" && info["maxmemory"] != "0" {
		h.Policy = policy
	}
	h.Empties = info["aof_enabled"] != "1" && !snapshots(ctx, node)
	return h, nil
}

// snapshots says whether the server writes any. Where CONFIG is forbidden, as it is by those who rent servers out, it is
// not known and nothing is claimed.
func snapshots(ctx context.Context, node valkey.Client) bool {
	config, err := node.Do(ctx, node.B().ConfigGet().Parameter("save").Build()).AsStrMap()
	return err != nil || config["save"] != ""
}
