package app

import (
	"context"
	_ "embed" // the text of the notice
	"log/slog"

	"tianbao"
)

// builtinPurpose is the purpose notice until a finance department publishes its own. Its
// sections follow PIPL art. 7 and 17 (who, what for, what, how long, rights), 30 (why
// sensitive data, and what it means), 23 (whom it is given to), 44 to 50 (rights).
//
//go:embed purpose.md
var builtinPurpose string

// ensurePurpose publishes the built-in notice where there is none: nobody fills in
// without having been told what for.
func (in *installation) ensurePurpose(ctx context.Context, log *slog.Logger) error {
	n, err := in.store.Purpose(ctx)
	if err != nil {
		return err
	}
	if n.Version == 0 {
		if n.Version, err = in.store.PublishPurpose(ctx, builtinPurpose, tianbao.Event{}); err != nil {
			return err
		}
	}
	if n.Version == 1 && n.By == "" {
		log.Warn("the built-in purpose notice is in use, which names no authority and no contact; publish your own at /purpose/versions")
	}
	return nil
}
