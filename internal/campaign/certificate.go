package campaign

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"tianbao"
	"tianbao/internal/clock"
)

// Certificate says of a part of the register where each expected unit stood at one
// moment. It is kept as a text that never changes ([Certificate.Text]); its digest is the
// SM3 of that text, so that whoever has the text can verify it with any tool. All that is
// shown or printed of a certificate comes from the text.
type Certificate struct {
	ID       tianbao.ID
	Campaign tianbao.ID
	Unit     tianbao.ID // whose subtree it is about
	Number   string
	At       time.Time
	Digest   string // hex

	Title    string // of the collection
	UnitName string
	UnitCode string
	Outside  int // units of the register that do not take part
	// List has the expected units, those that are missing first, each part in the order
	// of the tree.
	List []Certified
}

// Certified is an expected unit of a certificate.
type Certified struct {
	Unit  tianbao.ID
	Code  string
	Org   string
	Name  string
	State tianbao.Standing // overdue where it is
}

// CertificateStore keeps certificates. internal/store implements it.
type CertificateStore interface {
	// PutCertificate stores a certificate that was made by somebody, with its events.
	PutCertificate(ctx context.Context, c *Certificate, by tianbao.ID, events ...tianbao.Event) error
	// Certificate returns one about a unit in scope, verified against its digest.
	Certificate(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (*Certificate, error)
	// Certificates returns those of a collection about units in scope without their
	// lists, the newest first.
	Certificates(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, limit int) ([]CertificateHead, error)
}

// CertificateHead is what is listed of a certificate.
type CertificateHead struct {
	ID       tianbao.ID
	Unit     tianbao.ID
	UnitName string
	Number   string
	At       time.Time
	Expected int
	Done     int
}

// Whole reports whether nobody was missing.
func (h *CertificateHead) Whole() bool { return h.Done == h.Expected }

// Head returns what is listed of the certificate.
func (c *Certificate) Head() CertificateHead {
	return CertificateHead{c.ID, c.Unit, c.UnitName, c.Number, c.At, len(c.List), len(c.List) - c.Missing()}
}

// Missing returns how many units of the list something was awaited of. They come first.
func (c *Certificate) Missing() int {
	n := slices.IndexFunc(c.List, func(u Certified) bool { return u.State.Done() })
	if n < 0 {
		return len(c.List)
	}
	return n
}

// Whole reports whether nobody was missing: only then it certifies completeness.
func (c *Certificate) Whole() bool { return c.Missing() == 0 }

// Kind is what the paper is called.
func (c *Certificate) Kind() string {
	if c.Whole() {
		return "完成证明"
	}
	return "完成情况说明"
}

// Says is what it certifies, in a sentence.
func (c *Certificate) Says() string {
	n, missing := len(c.List), c.Missing()
	if missing == 0 {
		return fmt.Sprintf("截至上述时间，%s应报单位 %d 个，已全部完成，无遗漏。", c.UnitName, n)
	}
	return fmt.Sprintf("截至上述时间，%s应报单位 %d 个，已完成 %d 个，还有 %d 个没有完成，名单列在最前。", c.UnitName, n, n-missing, missing)
}

// Count is how many units of a certificate stood so.
type Count struct {
	State tianbao.Standing
	Units int
}

// Counts returns the figures of the list by standing, those with units only.
func (c *Certificate) Counts() (out []Count) {
	for _, s := range tianbao.Standings() {
		n := 0
		for i := range c.List {
			if c.List[i].State == s {
				n++
			}
		}
		if n > 0 {
			out = append(out, Count{s, n})
		}
	}
	return out
}

// The names of the lines of a text.
const certificateFormat = "tianbao-certificate 1"

// Text returns the certificate as it is kept: lines of fields between tabs, in UTF-8.
func (c *Certificate) Text() []byte {
	var b strings.Builder
	line := func(fields ...string) {
		for i, f := range fields {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return ' '
				}
				return r
			}, f))
		}
		b.WriteByte('\n')
	}
	line(certificateFormat)
	line(c.ID.String(), c.Number, c.At.In(clock.Shanghai).Format(time.RFC3339))
	line(c.Campaign.String(), c.Title)
	line(c.Unit.String(), c.UnitCode, c.UnitName, strconv.Itoa(c.Outside))
	for i := range c.List {
		u := &c.List[i]
		line(u.Unit.String(), u.Code, u.Org, u.Name, string(u.State))
	}
	return []byte(b.String())
}

// DigestOf returns the digest of a certificate's text.
func DigestOf(text []byte) string {
	sum := sm3.Sum(text)
	return hex.EncodeToString(sum[:])
}

// ParseCertificate reads a text that Text made.
func ParseCertificate(text []byte) (*Certificate, error) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	fields := func(i, n int) ([]string, error) {
		if i < len(lines) {
			if f := strings.Split(lines[i], "\t"); len(f) == n {
				return f, nil
			}
		}
		return nil, fmt.Errorf("campaign: line %d of a certificate is not whole", i+1)
	}
	id := func(text string, err *error) tianbao.ID {
		v, bad := tianbao.ParseID(text)
		*err = cmp.Or(*err, bad)
		return v
	}
	if lines[0] != certificateFormat {
		return nil, fmt.Errorf("campaign: a text of another form than %q", certificateFormat)
	}
	head, err := fields(1, 3)
	if err != nil {
		return nil, err
	}
	of, err := fields(2, 2)
	if err != nil {
		return nil, err
	}
	unit, err := fields(3, 4)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Digest: DigestOf(text), Number: head[1], Title: of[1], UnitCode: unit[1], UnitName: unit[2]}
	c.ID, c.Campaign, c.Unit = id(head[0], &err), id(of[0], &err), id(unit[0], &err)
	at, bad := time.Parse(time.RFC3339, head[2])
	outside, worse := strconv.Atoi(unit[3])
	if err = cmp.Or(err, bad, worse); err != nil {
		return nil, fmt.Errorf("campaign: the head of a certificate: %w", err)
	}
	c.At, c.Outside = at.In(clock.Shanghai), outside
	for i := 4; i < len(lines); i++ {
		f, err := fields(i, 5)
		if err != nil {
			return nil, err
		}
		u := Certified{Unit: id(f[0], &err), Code: f[1], Org: f[2], Name: f[3], State: tianbao.Standing(f[4])}
		if err != nil || place(u.State) < 0 {
			return nil, fmt.Errorf("campaign: line %d of a certificate is not a unit", i+1)
		}
		c.List = append(c.List, u)
	}
	return c, nil
}

// Certify takes down where the expected units below a unit stand now. The actor locks and
// reopens there, or runs the collection.
func (s *Service) Certify(ctx context.Context, a Actor, campaign, unit tianbao.ID) (*Certificate, error) {
	of, _, err := s.Collection(ctx, a, campaign)
	if err != nil {
		return nil, err
	}
	top, err := s.Store.Unit(ctx, a.Locks, unit)
	if err != nil {
		return nil, err
	}
	now := s.Now().Truncate(time.Second)
	id := tianbao.ID(s.IDs.Next())
	c := &Certificate{
		ID: id, Campaign: campaign, Unit: unit, At: now.In(clock.Shanghai), Title: of.Title, UnitName: top.Name, UnitCode: top.BudgetCode,
		Number: "WC" + now.In(clock.Shanghai).Format("20060102") + "-" + id.String(),
	}
	var done []Certified
	q := Question{Campaign: campaign, At: s.Now()}
	err = s.Each(ctx, tianbao.Scope{Paths: []string{top.Path}}, q, Filter{Outside: true}, "", func(u *UnitState) error {
		if u.Door.Why == WhyOutside {
			c.Outside++
			return nil
		}
		line := Certified{u.Unit.ID, u.Unit.BudgetCode, u.Unit.OrgCode, u.Unit.Name, u.Shown}
		if u.Shown.Done() {
			done = append(done, line)
		} else {
			c.List = append(c.List, line)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.List = append(c.List, done...)
	if len(c.List) == 0 {
		return nil, tianbao.Invalid("nothing_expected", "这个单位和它下属的单位都不参加这次采集，没有可以证明的内容。")
	}
	// What is handed out is what is kept.
	if c, err = ParseCertificate(c.Text()); err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("expected=%d missing=%d digest=%s", len(c.List), c.Missing(), c.Digest)
	e := s.event(a, "certificate.make", &of, unit, detail)
	e.Object = c.ID.String()
	return c, s.Store.PutCertificate(ctx, c, a.User, e)
}
