package ship

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"tianbao/internal/seal"
)

// Window is a time of which every moment can be put back.
type Window struct{ From, To time.Time }

// OutsideError: the folder has nothing of a moment.
type OutsideError struct {
	At      time.Time
	Windows []Window
}

// Error implements error.
func (e *OutsideError) Error() string {
	return fmt.Sprintf("ship: nothing of %s", e.At.Format(time.RFC3339Nano))
}

// FileError: a file of the folder cannot be used.
type FileError struct {
	Name string // below the folder
	Err  error  // wraps ErrFormat, seal.ErrNoKey, or is the disk's
}

// Error implements error.
func (e *FileError) Error() string { return fmt.Sprintf("ship: %s: %v", e.Name, e.Err) }

// Unwrap implements errors.
func (e *FileError) Unwrap() error { return e.Err }

type baseFile struct {
	name     string
	from, to int64
	at       time.Time
}

type logFile struct {
	name     string
	from, to int64
	at       time.Time // of the last commit
}

// line is an unbroken record, if nothing of it is missing.
type line struct {
	name  string
	bases []baseFile // by their end
	logs  []logFile  // by their beginning, the longest first
	state *state
}

// Archive is a folder as it was when it was looked at.
type Archive struct {
	dir   string
	s     seal.Pieces
	lines []line
	// Faults are files that are missing or cannot be read, in words for engineers.
	Faults []string
}

const lineTime = "20060102T150405Z"

// nextLine names a line after all that are there. The number tells their order, whatever
// the clock did.
func nextLine(dir string, now time.Time) (string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	n := 0
	for _, e := range all {
		if m := lineName.FindStringSubmatch(e.Name()); m != nil {
			last, _ := strconv.Atoi(m[1]) // eight digits
			n = max(n, last)
		}
	}
	return fmt.Sprintf("%08d-%s", n+1, now.UTC().Format(lineTime)), nil
}

var (
	lineName = regexp.MustCompile(`^([0-9]{8})-[0-9]{8}T[0-9]{6}Z$`)
	fileName = regexp.MustCompile(`^(base|log)-([0-9]{16})-([0-9]{16})-([0-9]{16})$`)
)

func nameOf(kind string, from, to int64, at time.Time) string {
	return fmt.Sprintf("%s-%016d-%016d-%016d", kind, from, to, at.UnixMicro())
}

// Open looks at a folder. Nothing but states is read.
func Open(dir string, s seal.Pieces) (*Archive, error) {
	a := &Archive{dir: dir, s: s}
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if !e.IsDir() || !lineName.MatchString(e.Name()) {
			continue
		}
		l, err := a.line(e.Name())
		if err != nil {
			return nil, err
		}
		if len(l.bases) > 0 { // else it was just begun, or is being removed
			a.lines = append(a.lines, l)
		}
	}
	return a, nil
}

func (a *Archive) line(name string) (line, error) {
	l := line{name: name}
	all, err := os.ReadDir(filepath.Join(a.dir, name))
	if err != nil {
		return l, err
	}
	for _, e := range all {
		m := fileName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		_, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was joined or removed meanwhile
		}
		if err != nil {
			return l, err
		}
		var v [3]int64
		for i := range v {
			v[i], _ = strconv.ParseInt(m[i+2], 10, 64) // sixteen digits
		}
		if at := time.UnixMicro(v[2]); m[1] == kindBase {
			l.bases = append(l.bases, baseFile{e.Name(), v[0], v[1], at})
		} else if v[0] < v[1] {
			l.logs = append(l.logs, logFile{e.Name(), v[0], v[1], at})
		}
	}
	slices.SortFunc(l.bases, func(a, b baseFile) int { return cmp.Compare(a.to, b.to) })
	slices.SortFunc(l.logs, func(a, b logFile) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	switch s, err := readState(filepath.Join(a.dir, name, kindState), a.s); {
	case err == nil:
		l.state = &s
	case !errors.Is(err, fs.ErrNotExist):
		a.Faults = append(a.Faults, fmt.Sprintf("%s/%s: %v", name, kindState, err))
	}
	return l, nil
}

// chain is what follows a base without a gap: the logs in order, up to which frame and
// when, and until when the last state is known to have held.
type chain struct {
	logs []logFile
	to   int64
	at   time.Time
	held time.Time
	// gap: frames after to are missing, of which there were some
	gap bool
}

func (l *line) chain(b *baseFile) (c chain, whole bool) {
	c = chain{to: b.from, at: b.at, held: b.at}
	for {
		next := -1
		for i := range l.logs {
			if f := &l.logs[i]; f.from <= c.to && f.to > c.to && (next < 0 || f.to > l.logs[next].to) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		f := l.logs[next]
		c.logs = append(c.logs, f)
		c.to = f.to
		if f.at.After(c.at) {
			c.at = f.at
		}
	}
	c.held = c.at
	c.gap = slices.ContainsFunc(l.logs, func(f logFile) bool { return f.to > c.to }) || l.state != nil && l.state.to > c.to
	if !c.gap && l.state != nil && l.state.to == c.to && l.state.at.After(c.held) {
		c.held = l.state.at
	}
	for i := range l.bases { // a base that adds nothing tells that nothing was committed
		if o := &l.bases[i]; o.to == c.to && o.at.After(c.held) {
			c.held = o.at
		}
	}
	return c, c.to >= b.to
}

// Windows are the times of which every moment can be put back, in order. The last one's
// end is the newest moment.
func (a *Archive) Windows() []Window {
	var out []Window
	for i := range a.lines {
		l := &a.lines[i]
		for j := range l.bases {
			c, whole := l.chain(&l.bases[j])
			if whole {
				out = append(out, Window{l.bases[j].at, c.held})
			}
		}
	}
	slices.SortFunc(out, func(a, b Window) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	merged := out[:0]
	for _, w := range out {
		if n := len(merged); n > 0 && !w.From.After(merged[n-1].To) {
			if w.To.After(merged[n-1].To) {
				merged[n-1].To = w.To
			}
			continue
		}
		merged = append(merged, w)
	}
	return merged
}

// Gaps tells of files that must have been there: frames after which some are missing.
func (a *Archive) Gaps() []string {
	var out []string
	for i := range a.lines {
		l := &a.lines[i]
		told := int64(-1)
		for j := range l.bases {
			c, whole := l.chain(&l.bases[j])
			if (c.gap || !whole) && c.to != told {
				told = c.to
				out = append(out, fmt.Sprintf("%s: %d", l.name, c.to))
			}
		}
	}
	return out
}

// Newest is the newest moment that can be put back; zero: there is none.
func (a *Archive) Newest() time.Time {
	for i := len(a.lines) - 1; i >= 0; i-- {
		l := &a.lines[i]
		for j := len(l.bases) - 1; j >= 0; j-- {
			if c, whole := l.chain(&l.bases[j]); whole {
				return c.held
			}
		}
	}
	return time.Time{}
}

// find chooses the newest base from which a moment can be reached, of the newest line.
func (a *Archive) find(at time.Time) (*line, *baseFile, chain, error) {
	for i := len(a.lines) - 1; i >= 0; i-- {
		l := &a.lines[i]
		for j := len(l.bases) - 1; j >= 0; j-- {
			b := &l.bases[j]
			if b.at.After(at) {
				continue
			}
			if c, whole := l.chain(b); whole && !c.held.Before(at) {
				return l, b, c, nil
			}
		}
	}
	return nil, nil, chain{}, &OutsideError{at, a.Windows()}
}
