package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"tianbao"
	"tianbao/internal/clock"
)

// Query chooses lines of the trail. Zero fields choose everything.
type Query struct {
	From, To time.Time // To is not included
	Actor    tianbao.ID
	Owner    tianbao.ID
	What     string
	Result   tianbao.Result
	Before   tianbao.ID // lines older than this one, for pages
	Limit    int
}

// Line is a record as an auditor reads it.
type Line struct {
	Record
	ActorName string
	OwnerName string
}

// Store keeps the trail; internal/store implements it.
type Store interface {
	// Record writes an event in a transaction of its own.
	Record(ctx context.Context, e tianbao.Event) error
	// Trail returns lines, newest first.
	Trail(ctx context.Context, q Query) ([]Line, error)
	// WalkTrail calls fn with where the lanes begin and end and all records, ordered by
	// lane and number, as they were at one moment. Personal parts are not opened.
	WalkTrail(ctx context.Context, fn func(bases, heads [Lanes]Head, records iter.Seq2[Record, error]) error) error
	// OldTrail calls fn with where the lanes begin and with the records at the beginning
	// of each lane that are all older than a time, their personal parts sealed.
	OldTrail(ctx context.Context, before time.Time, fn func(bases [Lanes]Head, records iter.Seq2[Archived, error]) error) error
	// DropArchived takes the records up to the ends out of the database, with the event
	// that tells it and the checkpoint of their archive, and lets the lanes begin there.
	// It refuses what is younger than MinKept, and anything but the records behind the
	// bases.
	DropArchived(ctx context.Context, bases, ends [Lanes]Head, at time.Time, c Signed, e tianbao.Event) error
	// AlteredRights returns how many rows say who may do what, and names those that are
	// not as the program wrote them.
	AlteredRights(ctx context.Context) (rows int64, altered []string, err error)
	// PutCheckpoint stores a signed checkpoint.
	PutCheckpoint(ctx context.Context, at time.Time, s Signed) error
	// Checkpoints returns the stored checkpoints, oldest first.
	Checkpoints(ctx context.Context) ([]Signed, error)
}

// Service reads, verifies and signs the trail.
type Service struct {
	Store  Store
	Digest Digest
	Signer *Signer
	Now    clock.Clock
}

// Verify verifies the whole trail against itself and all checkpoints: the stored ones
// and those given, which must bear this installation's signature. It also verifies the
// rows that say who may do what.
func (s *Service) Verify(ctx context.Context, more ...Signed) (*Findings, error) {
	f, err := s.verifyTrail(ctx, more...)
	if err == nil {
		f.Rights, f.Altered, err = s.Store.AlteredRights(ctx)
	}
	return f, err
}

func (s *Service) verifyTrail(ctx context.Context, more ...Signed) (*Findings, error) {
	stored, err := s.Store.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	var open []Checkpoint
	var bad []Fault
	for i, c := range append(stored, more...) {
		cp, err := c.Open(s.Signer.PublicKey())
		if err != nil {
			bad = append(bad, Fault{Lane: -1, Seq: int64(i + 1), Message: "检查点的签名不对"})
			continue
		}
		open = append(open, cp)
	}
	var f *Findings
	err = s.Store.WalkTrail(ctx, func(bases, heads [Lanes]Head, records iter.Seq2[Record, error]) error {
		var err error
		f, err = Verify(records, bases, heads, open, s.Digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.Faults = append(bad, f.Faults...)
	return f, nil
}

// Checkpoint signs the heads of now and stores that. A trail that does not verify,
// against more checkpoints too, is not signed.
func (s *Service) Checkpoint(ctx context.Context, more ...Signed) (Signed, error) {
	f, err := s.verifyTrail(ctx, more...)
	if err != nil {
		return Signed{}, err
	}
	return s.sign(ctx, [Lanes]Head{}, f)
}

// sign signs what a verification found to be right, and stores that.
func (s *Service) sign(ctx context.Context, bases [Lanes]Head, f *Findings) (Signed, error) {
	if len(f.Faults) > 0 {
		return Signed{}, fmt.Errorf("audit: not signed: %d faults, the first in lane %d at %d", len(f.Faults)+f.More, f.Faults[0].Lane, f.Faults[0].Seq)
	}
	now := s.Now()
	c, err := s.Signer.signFrom(now, bases, f.Heads)
	if err != nil {
		return Signed{}, err
	}
	return c, s.Store.PutCheckpoint(ctx, now, c)
}

// Export calls write with each record as a line of JSON, then with a new checkpoint of
// just these: what an auditor takes away and can verify with the public key alone. A
// trail that does not verify is an error, after its records were written.
func (s *Service) Export(ctx context.Context, write func(line []byte) error) error {
	var f *Findings
	var begin [Lanes]Head
	err := s.Store.WalkTrail(ctx, func(bases, heads [Lanes]Head, records iter.Seq2[Record, error]) error {
		begin = bases
		if err := writeHeader(bases, write); err != nil {
			return err
		}
		var err error
		f, err = Verify(tee(records, write), bases, heads, nil, s.Digest)
		return err
	})
	if err != nil {
		return err
	}
	c, err := s.sign(ctx, begin, f)
	if err != nil {
		return err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("audit: encode a checkpoint: %w", err)
	}
	return write(b)
}

// tee writes each record that passes.
func tee(records iter.Seq2[Record, error], write func(line []byte) error) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range records {
			if err == nil {
				var b []byte
				if b, err = json.Marshal(r.export()); err == nil {
					err = write(b)
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
