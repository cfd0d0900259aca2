package sheet

import (
	"context"
	"io"
)

// openEncrypted opens an encrypted package.
func openEncrypted(_ context.Context, _ io.ReaderAt, _ int64, _ *Limits, _ *budget, _ string) (book, error) {
	return nil, errEncrypted()
}
