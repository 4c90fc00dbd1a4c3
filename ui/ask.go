package ui

import (
	"encoding/json"
	"fmt"
)

// ask reads through a route of the JSON API, in the shape that into has. A route that is not served leaves into as it is.
func (v *visit) ask(route string, into any) error {
	if !v.p.engine.Has(route) {
		return nil
	}
	out, err := v.p.engine.Submit(v.w, v.r, v.c, route, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", route, err)
	}
	return reshape(out, into)
}

// reshape carries the answer of a route over by its JSON names: pages know the API, not the packages behind it.
func reshape(out, into any) error {
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}
