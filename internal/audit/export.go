package audit

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"tianbao"
)

// exported is a record as a line of an export. It holds all that the hash covers, so
// that the chain can be followed without this program.
type exported struct {
	Lane     int            `json:"lane"`
	Seq      int64          `json:"seq"`
	ID       tianbao.ID     `json:"id"`
	At       string         `json:"at"`
	Actor    tianbao.ID     `json:"actor"`
	Owner    tianbao.ID     `json:"owner"`
	From     string         `json:"from"`
	What     string         `json:"what"`
	Object   string         `json:"object"`
	Result   tianbao.Result `json:"result"`
	Detail   string         `json:"detail"`
	Personal string         `json:"personal"`
	Hash     string         `json:"hash"`
	// Sealed is what is said of a person, as it was sealed; in archives only.
	Sealed []byte `json:"sealed,omitempty"`
}

func (r *Record) export() exported {
	return exported{
		r.Lane, r.Seq, r.ID, Stamp(r.At), r.Actor, r.Owner, r.From, r.What, r.Object, r.Result, r.Detail, r.Personal,
		hex.EncodeToString(r.Hash[:]), nil,
	}
}

// record reads a line of an export back.
func (e *exported) record() (Record, error) {
	r := Record{Lane: e.Lane, Seq: e.Seq, ID: e.ID, Personal: e.Personal}
	r.Event = tianbao.Event{Actor: e.Actor, Owner: e.Owner, From: e.From, What: e.What, Object: e.Object, Result: e.Result, Detail: e.Detail}
	var err error
	if r.At, err = time.Parse(time.RFC3339, e.At); err != nil {
		return r, ErrExport
	}
	b, err := hex.DecodeString(e.Hash)
	if err != nil || len(b) != HashSize {
		return r, ErrExport
	}
	copy(r.Hash[:], b)
	return r, nil
}

// ErrExport: the lines are not an export of a trail.
var ErrExport = errors.New("audit: not an export of a trail")

// VerifyExport follows the chain of an export with nothing but the public key: the
// records against each other, and their ends against the checkpoint in the last line.
func VerifyExport(r io.Reader, publicKey string) (*Findings, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	f := new(Findings)
	var last []byte
	var begin []string
	for lines.Scan() {
		if last == nil && begin == nil {
			begin = headerOf(lines.Bytes(), f)
			if begin != nil {
				continue
			}
		}
		if last == nil {
			last = append([]byte{}, lines.Bytes()...)
			continue
		}
		if err := f.follow(last); err != nil {
			return nil, err
		}
		last = append(last[:0], lines.Bytes()...)
	}
	if err := lines.Err(); err != nil {
		return nil, ErrExport
	}
	var s Signed
	if json.Unmarshal(last, &s) != nil {
		return nil, ErrExport
	}
	c, err := s.Open(publicKey)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(begin, c.From) {
		f.fault(0, 0, "开头的位置与签名的不同")
	}
	for lane, want := range places(f.Heads) {
		if c.Heads[lane] != want {
			f.fault(lane, f.Heads[lane].Seq, "与检查点记载的末条不同")
		}
	}
	return f, nil
}

// follow checks a line of an export against the one before it in its lane.
func (f *Findings) follow(line []byte) error {
	var e exported
	if json.Unmarshal(line, &e) != nil || e.Lane < 0 || e.Lane >= Lanes {
		return ErrExport
	}
	r, err := e.record()
	if err != nil {
		return err
	}
	f.Records++
	head := &f.Heads[r.Lane]
	if r.Seq != head.Seq+1 || r.hash(head.Hash) != r.Hash {
		f.fault(r.Lane, r.Seq, "内容与写入时不同，或与前一条接不上")
	}
	head.Seq, head.Hash = r.Seq, r.Hash
	return nil
}
