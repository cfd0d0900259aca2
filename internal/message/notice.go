package message

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// The most characters that texts may have.
const (
	maxTitle  = 100
	maxIssuer = 60
	// MaxBody bounds the text of a notice.
	MaxBody = 20_000
	// maxUnits is for how many subtrees a notice may be.
	maxUnits = 200
)

// Draft is what an officer says of a notice.
type Draft struct {
	Title, Issuer, Body string
	Campaign            tianbao.ID
	Units               []tianbao.Unit // whom it is for; none: all that the actor leads
	Turn                int64          // of the notice that it was made from
}

// fill puts a draft into a notice.
func fill(n *tianbao.Notice, d *Draft) error {
	n.Title, n.Issuer, n.Campaign = strings.TrimSpace(d.Title), strings.TrimSpace(d.Issuer), d.Campaign
	n.Body = strings.TrimSpace(strings.ReplaceAll(d.Body, "\r\n", "\n"))
	switch {
	case n.Title == "" || utf8.RuneCountInString(n.Title) > maxTitle || strings.ContainsAny(n.Title, "\n\r\t"):
		return tianbao.Invalid("bad_title", "请填写通知的标题，最多 100 个字。")
	case utf8.RuneCountInString(n.Issuer) > maxIssuer || strings.ContainsAny(n.Issuer, "\n\r\t"):
		return tianbao.Invalid("bad_issuer", "发布单位最多 60 个字，请改短一些。")
	case n.Body == "":
		return tianbao.Invalid("no_body", "请填写通知的正文。")
	case utf8.RuneCountInString(n.Body) > MaxBody:
		return tianbao.Invalid("long_body", "正文最多 20000 个字，长的内容请放进附件。")
	}
	return nil
}

// address sets whom a notice is for, and the bureau from which it comes: the seat whose
// subtree holds all of them.
func (a *Actor) address(n *tianbao.Notice, units []tianbao.Unit) error {
	if len(units) == 0 {
		if len(a.Seats) == 0 {
			return tianbao.NotFound()
		}
		units = a.Seats[:1]
	}
	if len(units) > maxUnits {
		return tianbao.Invalid("many_units", "一份通知最多发给 200 个单位及其下属，请改选它们的上级。")
	}
	i := slices.IndexFunc(a.Seats, func(seat tianbao.Unit) bool {
		return !slices.ContainsFunc(units, func(u tianbao.Unit) bool { return !strings.HasPrefix(u.Path, seat.Path) })
	})
	if i < 0 {
		return tianbao.NotFound()
	}
	n.Owner, n.Units, n.Everyone = a.Seats[i].ID, units, false
	if n.Issuer == "" {
		n.Issuer = a.Seats[i].Name
	}
	return nil
}

// Create makes a draft.
func (s *Service) Create(ctx context.Context, a *Actor, d *Draft) (tianbao.ID, error) {
	n := tianbao.Notice{ID: tianbao.ID(s.IDs.Next()), State: tianbao.NoticeDraft, Plain: true, At: s.Now()}
	if err := fill(&n, d); err != nil {
		return 0, err
	}
	if err := a.address(&n, d.Units); err != nil {
		return 0, err
	}
	return n.ID, s.Store.PutNoticeDraft(ctx, &n, s.event(a, "notice.draft", n.ID, n.Owner, ""))
}

// led returns a notice that the actor leads, as it was when the turn was read.
func (s *Service) led(ctx context.Context, a *Actor, id tianbao.ID, turn int64) (tianbao.Notice, error) {
	n, err := s.Store.LedNotice(ctx, a.Leads, id)
	if err == nil && turn != 0 {
		n.Turn = turn
	}
	return n, err
}

// Edit changes a draft, or amends a published notice: then whoever read it is told. Whom
// a published notice is for does not change any more.
func (s *Service) Edit(ctx context.Context, a *Actor, id tianbao.ID, d *Draft) error {
	n, err := s.led(ctx, a, id, d.Turn)
	if err != nil {
		return err
	}
	before := n
	if err := fill(&n, d); err != nil {
		return err
	}
	switch n.State {
	case tianbao.NoticeDraft:
		if err := a.address(&n, d.Units); err != nil {
			return err
		}
		return s.Store.PutNoticeDraft(ctx, &n, s.event(a, "notice.draft", id, n.Owner, ""))
	case tianbao.NoticePublished:
		if n.Issuer == "" {
			n.Issuer = before.Issuer
		}
		if n.Title == before.Title && n.Issuer == before.Issuer && n.Body == before.Body && n.Campaign == before.Campaign {
			return tianbao.Invalid("same", "内容没有变化，不用再发布。")
		}
		return s.Store.Amend(ctx, &n, s.Now(), s.event(a, "notice.amend", id, n.Owner, ""))
	}
	return errWithdrawn()
}

func errWithdrawn() error {
	return tianbao.Invalid("withdrawn", "这份通知已经撤回，不能再改；需要的话请另发一份。")
}

// Publish publishes a draft; mail: units with an address get a copy there.
func (s *Service) Publish(ctx context.Context, a *Actor, id tianbao.ID, turn int64, mail bool) error {
	n, err := s.led(ctx, a, id, turn)
	if err != nil {
		return err
	}
	if n.State != tianbao.NoticeDraft {
		return tianbao.Invalid("no_draft", "这份通知已经发布过了，请刷新页面查看。")
	}
	detail := ""
	if n.Mail = mail; mail {
		detail = "mail=true"
	}
	return s.Store.Amend(ctx, &n, s.Now(), s.event(a, "notice.publish", id, n.Owner, detail))
}

// Withdraw withdraws a published notice.
func (s *Service) Withdraw(ctx context.Context, a *Actor, id tianbao.ID, turn int64) error {
	n, err := s.led(ctx, a, id, turn)
	if err != nil {
		return err
	}
	if n.State != tianbao.NoticePublished {
		return tianbao.Invalid("not_published", "这份通知现在没有发布，不用撤回。")
	}
	return s.Store.Withdraw(ctx, &n, s.Now(), s.event(a, "notice.withdraw", id, n.Owner, ""))
}

// Attach adds a file to a notice; to a published one as an amendment.
func (s *Service) Attach(ctx context.Context, a *Actor, id tianbao.ID, turn int64, name string, data []byte) error {
	n, err := s.led(ctx, a, id, turn)
	if err != nil {
		return err
	}
	if n.State == tianbao.NoticeWithdrawn {
		return errWithdrawn()
	}
	typ, err := fileType(name, data)
	if err != nil {
		return err
	}
	size := int64(len(data))
	for _, f := range n.Attachments {
		size += f.Size
	}
	switch {
	case len(n.Attachments) >= maxFiles:
		return tianbao.Invalid("many_files", "一份通知最多 10 个附件，请先删去不要的，或者合并成一个文件。")
	case size > maxFileBytes:
		return &tianbao.Error{Kind: tianbao.ErrTooLarge, Code: "too_large", Message: "附件合起来超过 50 MB，请压缩图片或者分成几份通知。"}
	}
	f := tianbao.Attachment{ID: tianbao.ID(s.IDs.Next()), Name: name, Type: typ, Size: int64(len(data)), Data: data}
	return s.Store.SetFile(ctx, &n, f, s.Now(), s.event(a, "notice.attach", id, n.Owner, "file="+f.ID.String()))
}

// Detach takes a file away; from a published notice as an amendment.
func (s *Service) Detach(ctx context.Context, a *Actor, id, file tianbao.ID, turn int64) error {
	n, err := s.led(ctx, a, id, turn)
	if err != nil {
		return err
	}
	if n.State == tianbao.NoticeWithdrawn {
		return errWithdrawn()
	}
	if !slices.ContainsFunc(n.Attachments, func(f tianbao.Attachment) bool { return f.ID == file }) {
		return tianbao.NotFound()
	}
	return s.Store.SetFile(ctx, &n, tianbao.Attachment{ID: file}, s.Now(), s.event(a, "notice.detach", id, n.Owner, "file="+file.String()))
}
