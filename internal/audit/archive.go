package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"tianbao"
)

// MinKept is the least number of months for which records stay in the database
// (Cybersecurity Law art. 21(3)), KeptMonths what holds where nothing else is said.
const (
	MinKept    = 6
	KeptMonths = 36
)

// Archived is a record on its way into an archive, with what is sealed of it.
type Archived struct {
	Record
	Sealed []byte
}

// archiveFormat names the format of a file whose lanes do not begin with their first
// records. Its first line says where they begin, then come records and a checkpoint as
// in an export.
const archiveFormat = "tianbao-audit-archive-1"

type header struct {
	Format string   `json:"format"`
	From   []string `json:"from"`
}

// writeHeader begins a file whose lanes begin behind the bases.
func writeHeader(bases [Lanes]Head, write func(line []byte) error) error {
	f := from(bases)
	if f == nil {
		return nil
	}
	b, err := json.Marshal(header{archiveFormat, f})
	if err != nil {
		return fmt.Errorf("audit: encode the head of an archive: %w", err)
	}
	return write(b)
}

// headerOf reads the first line of a file: where its lanes begin, nil for a file whose
// lanes begin with their first records.
func headerOf(line []byte, f *Findings) []string {
	var h header
	if json.Unmarshal(line, &h) != nil || h.Format != archiveFormat || len(h.From) != Lanes {
		return nil
	}
	for lane, text := range h.From {
		n, hash, _ := strings.Cut(text, ":")
		seq, err := strconv.ParseInt(n, 10, 64)
		b, herr := hex.DecodeString(hash)
		if err != nil || herr != nil || len(b) != HashSize || seq < 0 {
			return nil
		}
		f.Heads[lane].Seq = seq
		copy(f.Heads[lane].Hash[:], b)
		f.Archived += seq
	}
	return h.From
}

// ErrTooYoung: the records have to stay longer.
var ErrTooYoung = errors.New("audit: records younger than the least time that they must be kept")

// ErrNothingOld: no record is old enough.
var ErrNothingOld = errors.New("audit: no record is old enough")

// Archive moves the records before a time out of the database: it verifies the whole
// trail, calls write with the lines of an archive, then keep, which must return with the
// archive safe on disk, and only then takes them out. An end in between leaves the trail
// whole. Records of a lane go as far as all of them are older.
func (s *Service) Archive(ctx context.Context, before time.Time, write func(line []byte) error, keep func() error, e tianbao.Event, more ...Signed) (records int64, c Signed, err error) {
	now := s.Now()
	if before.After(now.AddDate(0, -MinKept, 0)) {
		return 0, c, ErrTooYoung
	}
	f, err := s.verifyTrail(ctx, more...)
	if err != nil {
		return 0, c, err
	}
	if len(f.Faults) > 0 {
		return 0, c, fmt.Errorf("audit: not archived: %d faults", len(f.Faults)+f.More)
	}
	var begin, end [Lanes]Head
	err = s.Store.OldTrail(ctx, before, func(bases [Lanes]Head, old iter.Seq2[Archived, error]) error {
		begin, end = bases, bases
		if err := writeHeader(bases, write); err != nil {
			return err
		}
		for r, err := range old {
			if err != nil {
				return err
			}
			head := &end[r.Lane]
			if r.Seq != head.Seq+1 || r.hash(head.Hash) != r.Hash {
				return fmt.Errorf("audit: not archived: record %d of lane %d does not fit", r.Seq, r.Lane)
			}
			*head = Head{Seq: r.Seq, Hash: r.Hash}
			line := r.export()
			line.Sealed = r.Sealed
			b, err := json.Marshal(line)
			if err != nil {
				return fmt.Errorf("audit: encode a record: %w", err)
			}
			if err := write(b); err != nil {
				return err
			}
			records++
		}
		return nil
	})
	if err == nil && records == 0 {
		err = ErrNothingOld
	}
	if err != nil {
		return 0, c, err
	}
	if c, err = s.Signer.signFrom(now, begin, end); err != nil {
		return 0, c, err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return 0, c, fmt.Errorf("audit: encode a checkpoint: %w", err)
	}
	if err := write(b); err != nil {
		return 0, c, err
	}
	if err := keep(); err != nil {
		return 0, c, err
	}
	e.At, e.What = now, "trail.archive"
	e.Detail = fmt.Sprintf("records=%d before=%s", records, before.UTC().Format(time.DateOnly))
	return records, c, s.Store.DropArchived(ctx, begin, end, now, c, e)
}
