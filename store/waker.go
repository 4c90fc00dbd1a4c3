package store

import "context"

// Waker is a Store that can say at once that its log grew. That is a hint and nothing more: a reader polls beside it.
type Waker interface {
	// Wake returns a channel that receives soon after another entry was committed by anybody; entries that come close
	// together may be one receipt, and one may be lost. The channel is closed after ctx has ended. An error says that there
	// will be no hints.
	Wake(ctx context.Context) (<-chan struct{}, error)
}
