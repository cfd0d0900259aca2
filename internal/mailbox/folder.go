package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/post"
)

// Taker keeps a mail; when it returns without an error, the mail may go. mark is nil for a
// folder.
type Taker func(ctx context.Context, raw []byte, mark *post.Mark) error

// Folder is a maildir, whose new mails move from new to cur as a reader of mail moves them,
// or any other folder, whose .eml files move to its folder 已收.
type Folder struct {
	Dir  string
	Most int // bytes of a mail; of a longer one that much is taken, and one more
	Take Taker
	Now  clock.Clock
	// Settle is how long a file must not have changed; in a maildir it is whole at once.
	Settle, Every time.Duration
	Log           *slog.Logger
}

// takenDir is where .eml files go.
const takenDir = "已收"

// Watch takes mails until the context ends.
func (f *Folder) Watch(ctx context.Context) {
	broken := false
	for ctx.Err() == nil {
		err := f.Once(ctx)
		if err != nil && ctx.Err() == nil && !broken {
			f.Log.Error("the folder of mails cannot be read", "err", err)
		}
		broken = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(f.Every):
		}
	}
}

// Once takes what is there.
func (f *Folder) Once(ctx context.Context) error {
	if info, err := os.Stat(filepath.Join(f.Dir, "new")); err == nil && info.IsDir() {
		return f.each(ctx, filepath.Join(f.Dir, "new"), func(string) bool { return true }, 0, func(name string) string {
			base, _, _ := strings.Cut(name, ":")
			return filepath.Join(f.Dir, "cur", base+":2,S")
		})
	}
	return f.each(ctx, f.Dir, func(name string) bool { return strings.EqualFold(filepath.Ext(name), ".eml") }, f.Settle, func(name string) string {
		return filepath.Join(f.Dir, takenDir, name)
	})
}

// each takes the files of a folder, the oldest first, and moves each.
func (f *Folder) each(ctx context.Context, dir string, wanted func(string) bool, settle time.Duration, to func(name string) string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("mailbox: %w", bare(err))
	}
	type file struct {
		name string
		at   time.Time
	}
	var files []file
	for _, e := range list {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") || !wanted(e.Name()) || f.Now().Sub(info.ModTime()) < settle {
			continue
		}
		files = append(files, file{e.Name(), info.ModTime()})
	}
	slices.SortFunc(files, func(a, b file) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	for _, e := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		raw, err := readSome(filepath.Join(dir, e.name), f.Most)
		if err != nil {
			return err
		}
		if err := f.Take(ctx, raw, nil); err != nil {
			return err
		}
		target := to(e.name)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return fmt.Errorf("mailbox: %w", bare(err))
		}
		if err := os.Rename(filepath.Join(dir, e.name), target); err != nil {
			return fmt.Errorf("mailbox: %w", bare(err))
		}
	}
	return nil
}

// readSome reads up to one byte more than most.
func readSome(path string, most int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", bare(err))
	}
	defer file.Close()
	raw, err := readLimited(file, most)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", bare(err))
	}
	return raw, nil
}

// bare is an error of the file system without the path, which may name a person.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
