package ui

import (
	"net/http"

	"github.com/ostiary/ostiary"
)

// secondStep answers a first proof of somebody who has a second factor. Nobody is signed in yet.
func (v *visit) secondStep(pending *ostiary.Pending) error {
	v.secret()
	return v.show(http.StatusOK, "second", pending.Methods)
}
