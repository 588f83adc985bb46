package shop

import "context"

// Source is the folder of the product's source, for who makes a [Place]
// without [Prepare], as a cluster of another architecture needs it.
func Source(ctx context.Context) (string, error) { return sourceFolder(ctx) }
