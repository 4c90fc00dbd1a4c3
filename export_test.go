package ostiary

import "context"

// Upkeep is what an engine does every minute.
func Upkeep(ctx context.Context, a *Auth) error { return a.upkeep(ctx) }
