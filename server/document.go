package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/internal/openapi"
	"github.com/ostiary/ostiary/store/memory"
)

// Document is the OpenAPI 3.1 document of a server with these settings, as JSON. It needs no data and touches none.
func Document(ctx context.Context, cfg Config) ([]byte, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	cfg.SMTP, cfg.SMTPFile, cfg.AllowMailOutbox = "smtp://localhost?from=nobody@localhost", "", false // it is never connected to
	key, err := ostiary.NewKey()
	if err != nil {
		return nil, err
	}
	keys, err := apikey.New(apikey.Config{})
	if err != nil {
		return nil, err
	}
	_, auth, err := wire(ctx, cfg, wiring{store: memory.New(), key: key, keys: keys, passive: true})
	if err != nil {
		return nil, err
	}
	document, err := openapi.Document(cfg.Product, cfg.Version, cfg.URL, auth.Routes())
	if err != nil {
		err = fmt.Errorf("write OpenAPI document: %w", err)
	}
	return document, errors.Join(err, auth.Close())
}
