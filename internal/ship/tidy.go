package ship

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// joinSmall makes one log of the small ones, which go when it is there.
func (s *Shipper) joinSmall() error {
	list := s.small
	if len(list) < 2 {
		return nil
	}
	from, end := list[0].from, list[len(list)-1]
	o, err := s.join.create(s.path(), "join", kindLog)
	if err != nil {
		return err
	}
	o.logHead(s.log.PageSize(), from)
	r := &restorer{ctx: context.Background(), a: &Archive{dir: s.o.Dir, s: s.o.Seal}, l: &line{name: s.line}}
	for i := range list {
		f := &list[i]
		if err := r.file(f.name, kindLog, func(in *inFile) error {
			return in.readLog(s.log.PageSize(), f.from, f.to, o.frame)
		}); err != nil {
			o.drop()
			s.small = nil // else one bad file would keep all from being joined for good
			return err
		}
	}
	o.logEnd(end.to)
	if _, err := o.finish(nameOf(kindLog, from, end.to, end.at)); err != nil {
		return err
	}
	s.small = nil
	for _, f := range list {
		if err := os.Remove(filepath.Join(s.path(), f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// prune removes what is older than is kept: never before a base that covers what is.
func (s *Shipper) prune(now time.Time) error {
	a, err := Open(s.o.Dir, s.o.Seal)
	if err != nil {
		return err
	}
	var keep *baseFile
	for i := range a.lines {
		for j := range a.lines[i].bases {
			b := &a.lines[i].bases[j]
			if _, whole := a.lines[i].chain(b); whole && !b.at.After(now.Add(-s.o.Keep)) && (keep == nil || b.at.After(keep.at)) {
				keep = b
			}
		}
	}
	for i := range a.lines {
		if keep == nil {
			break
		}
		l := &a.lines[i]
		dir := filepath.Join(a.dir, l.name)
		// Bases go first: logs without one are nothing, the other way round there is a gap.
		var old []string
		for _, b := range l.bases {
			if b.at.Before(keep.at) {
				old = append(old, b.name)
			}
		}
		gone := len(old)
		all := gone == len(l.bases)
		if all && l.name == s.line {
			continue
		}
		for _, f := range l.logs {
			if all || f.to <= l.bases[gone].from {
				old = append(old, f.name)
			}
		}
		for _, name := range old {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return s.sweep(now)
}

// abandoned is for how long nothing has happened in a folder that nobody writes any more.
const abandoned = time.Hour

// sweep removes what was not finished: lines without a base, and parts of files.
func (s *Shipper) sweep(now time.Time) error {
	all, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.IsDir() || !lineName.MatchString(e.Name()) || e.Name() == s.line {
			continue
		}
		dir := filepath.Join(s.o.Dir, e.Name())
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		based, recent := false, false
		for _, f := range files {
			m := fileName.FindStringSubmatch(f.Name())
			based = based || m != nil && m[1] == kindBase
			info, err := f.Info()
			recent = recent || err != nil || now.Sub(info.ModTime()) < abandoned
		}
		for _, f := range files {
			ours := fileName.MatchString(f.Name()) || f.Name() == kindState
			if recent || !strings.HasSuffix(f.Name(), partSuffix) && (based || !ours) {
				continue
			}
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if !based && !recent {
			_ = os.Remove(dir) // it stays if somebody has put something else into it
		}
	}
	return nil
}
