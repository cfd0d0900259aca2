package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/clock"
)

// identity is what a server is at its start (security.md 54): kept on the trail, where
// nobody changes it unnoticed, and compared at the next start.
type identity struct {
	version  string // with the revision it was built from
	program  string // SHA-256 of the executable, as sha256sum shows it
	settings string // keyed digest of all settings
	told     string // the settings that may be told, in words
}

// build returns the version with the revision that the executable says it was built from.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	v, dirty := Version, ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += "+" + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ".dirty"
		}
	}
	return v + dirty
}

// programDigest returns the SHA-256 of the executable that runs.
func programDigest() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("app: find the executable: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("app: open the executable: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("app: read the executable: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// tellable are the settings that stand on the trail as they are. All others, also those
// that come to be, go into the keyed digest only: they may hold a password, or a name in
// a path.
const tellable = " addr alg log behind-tls demo trusted-proxy admin-network limits reveals header-timeout read-timeout write-timeout password-profile max-sessions dormant-days code-days keep-months public-url oidc-issuer oidc-client-id oidc-claim oidc-factor client-cert-header "

// identity gathers what the server is.
func (o *serveOptions) identity(in *installation) (identity, error) {
	id := identity{version: build()}
	var err error
	if id.program, err = programDigest(); err != nil {
		return id, err
	}
	told := []string{"engine=" + in.db.Kind().String()}
	var all [][]byte
	o.set.VisitAll(func(f *flag.Flag) {
		all = append(all, []byte(f.Name), []byte(f.Value.String()))
		if strings.Contains(tellable, " "+f.Name+" ") {
			told = append(told, f.Name+"="+f.Value.String())
		}
	})
	id.told, id.settings = strings.Join(told, " "), in.digest("settings", all...)[:32]
	return id, nil
}

// detail is how a start stands on the trail.
func (id *identity) detail() string {
	return fmt.Sprintf("version=%s program=%s settings=%s %s", id.version, id.program, id.settings, id.told)
}

// value reads a value back out of a detail.
func value(detail, name string) string {
	for _, f := range strings.Fields(detail) {
		if v, ok := strings.CutPrefix(f, name+"="); ok {
			return v
		}
	}
	return ""
}

// recordStart puts the start on the trail, and an alarm beside it and in the log if the
// program is another one than at the last start and says it is the same version, or if
// settings changed. It reads the whole program, so a server that starts answers meanwhile.
func (o *serveOptions) recordStart(ctx context.Context, in *installation, log *slog.Logger) error {
	id, err := o.identity(in)
	if err != nil {
		return err
	}
	last, err := in.store.Trail(ctx, audit.Query{What: "start", Limit: 1})
	if err != nil {
		return err
	}
	now := clock.System()
	var events []tianbao.Event
	log.Info("start", "version", id.version, "program", id.program, "settings", id.settings)
	if len(last) > 0 {
		before := last[0].Detail
		program, version := value(before, "program"), value(before, "version")
		switch {
		case program == id.program:
		case version == id.version:
			log.Error("ALARM: the program was changed since the last start and says it is the same version; compare its SHA-256 with the release", "before", program, "now", id.program)
			events = append(events, tianbao.Event{At: now, What: "start.changed", Object: "program", Result: tianbao.ResultFailed, Detail: "before=" + program + " now=" + id.program})
		default:
			events = append(events, tianbao.Event{At: now, What: "start.changed", Object: "program", Detail: "before=" + cmp.Or(version, "?") + " now=" + id.version})
		}
		if settings := value(before, "settings"); settings != id.settings {
			log.Warn("the settings are others than at the last start")
			events = append(events, tianbao.Event{At: now, What: "start.changed", Object: "settings", Detail: "before=" + settings + " now=" + id.settings})
		}
	}
	// The start comes last: one that is cut off in between alarms again at the next.
	for _, e := range append(events, tianbao.Event{At: now, What: "start", Detail: id.detail()}) {
		if err := in.store.Record(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
