package post

import (
	"context"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/letter"
)

// Named is a mail that waits and names a person, or may.
type Named struct {
	ID       tianbao.ID
	Received time.Time
	// Sure: it was found in the mail; else a file of it cannot be read.
	Sure bool
}

// maxNaming is how many mails that wait are looked through for a person.
const maxNaming = 1000

// folded leaves of a text what numbers are made of, in one form.
func folded(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, text)
}

// Naming looks for a resident id in the mails that wait and that the officer sees: in what
// they say, in names of files and in workbooks. Mails with a file that cannot be read are
// told too, as such. more: there are mails that were not looked through.
func (s *Service) Naming(ctx context.Context, o *Officer, person string) (found []Named, more bool, err error) {
	want := folded(person)
	if len(want) < 8 {
		return nil, false, nil
	}
	var before tianbao.ID
	for seen := 0; ; {
		list, err := s.Store.Mails(ctx, o.view(), Query{State: StateWaiting, Before: before, Limit: 100})
		if err != nil || len(list) == 0 {
			return found, false, err
		}
		for i := range list {
			if seen++; seen > maxNaming {
				return found, true, nil
			}
			before = list[i].ID
			hit, sure, err := s.names(ctx, o, before, want)
			if err != nil {
				return found, false, err
			}
			if hit {
				found = append(found, Named{before, list[i].Received, sure})
			}
		}
	}
}

// names reports whether a mail names the person, or holds a file that cannot be read.
func (s *Service) names(ctx context.Context, o *Officer, id tianbao.ID, want string) (hit, sure bool, err error) {
	m, raw, err := s.Store.Mail(ctx, o.view(), id)
	if tianbao.KindOf(err) == tianbao.ErrNotFound {
		return false, false, nil // it is dealt with meanwhile
	}
	if err != nil {
		return false, false, err
	}
	in := func(text string) bool { return strings.Contains(folded(text), want) }
	if in(m.Head.Subject) || in(strings.Join(m.Head.Files, "\n")) {
		return true, true, nil
	}
	if raw == nil {
		return false, false, nil
	}
	l, err := letter.Read(raw, s.Read)
	if err != nil {
		return true, false, nil //nolint:nilerr // what cannot be read may name anybody
	}
	if in(l.Text) {
		return true, true, nil
	}
	for i := range l.Files {
		f := &l.Files[i]
		if f.Kind != letter.Workbook {
			hit = hit || f.Kind != letter.Empty
			continue
		}
		err := s.Door.Cells(ctx, f.Name, f.Data, func(cell string) bool {
			sure = sure || in(cell)
			return !sure
		})
		if ctx.Err() != nil {
			return false, false, ctx.Err()
		}
		if hit = hit || err != nil; sure {
			return true, true, nil
		}
	}
	return hit, false, nil
}
