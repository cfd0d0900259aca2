package message

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/ident"
)

// What is asked and answered has at most so many characters; a unit has at most so many
// open questions, and a person asks at most so many a day.
const (
	// MaxQuestion bounds a question, MaxAnswer an answer.
	MaxQuestion = 1000
	MaxAnswer   = 4000
	maxOpen     = 20
)

// Ask asks about a notice for a unit, by default the actor's first whom it is for. The
// same question again is the first one.
func (s *Service) Ask(ctx context.Context, a *Actor, notice, unit tianbao.ID, text string) (tianbao.ID, error) {
	n, err := s.Store.Notice(ctx, &a.Reader, notice)
	if err != nil {
		return 0, err
	}
	units := addressed(&n, a.Asks)
	i := 0
	if unit != 0 {
		i = slices.IndexFunc(units, func(u tianbao.Unit) bool { return u.ID == unit })
	}
	if i < 0 || i >= len(units) {
		return 0, tianbao.NotFound()
	}
	if n.State != tianbao.NoticePublished {
		return 0, tianbao.Invalid("withdrawn", "这份通知已经撤回，不能再提问。")
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if k := utf8.RuneCountInString(text); k < 4 || k > MaxQuestion {
		return 0, tianbao.Invalid("bad_question", "请把问题写清楚，4 到 1000 个字。")
	}
	own, err := s.Store.Questions(ctx, tianbao.Scope{Paths: []string{units[i].Path}}, notice, tianbao.QuestionOpen, 0, maxOpen)
	if err != nil {
		return 0, err
	}
	for _, q := range own {
		if q.Unit == units[i].ID && q.Asked == text {
			return q.ID, nil
		}
	}
	q := &tianbao.Question{
		ID: tianbao.ID(s.IDs.Next()), Notice: notice, Unit: units[i].ID, By: a.User, At: s.Now(), State: tianbao.QuestionOpen, Asked: text,
	}
	return q.ID, s.Store.PutQuestion(ctx, q, n.Campaign, s.Now().Add(-24*time.Hour), maxOpen, s.event(a, "question.ask", q.ID, q.Unit, "notice="+notice.String()))
}

// Reply is an answer to a question.
type Reply struct {
	Text string
	// All asks to publish it under the notice, with the question in the words of Shown.
	All   bool
	Shown string
	Turn  int64
}

// Answerable reports whether the actor may publish the answer to a question for all.
func (s *Service) Answerable(ctx context.Context, a *Actor, q *tianbao.Question) (bool, error) {
	n, err := s.Store.LedNotice(ctx, a.Leads, q.Notice)
	if err != nil && tianbao.KindOf(err) == tianbao.ErrNotFound {
		return false, nil
	}
	return err == nil && n.State == tianbao.NoticePublished, err
}

// Answer answers a question, or corrects an answer. The bureaus above the unit answer to
// it; the bureau of the notice answers, once, for everybody whom it is for.
func (s *Service) Answer(ctx context.Context, a *Actor, id tianbao.ID, r *Reply) error {
	q, err := s.Store.Question(ctx, a.Leads, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.Seats, func(u tianbao.Unit) bool { return u.ID != q.Unit && strings.HasPrefix(q.UnitPath, u.Path) })
	if i < 0 {
		return tianbao.Invalid("own_question", "本单位的提问由上级答复，请等一等。")
	}
	q.Answer = strings.TrimSpace(strings.ReplaceAll(r.Text, "\r\n", "\n"))
	if k := utf8.RuneCountInString(q.Answer); k == 0 || k > MaxAnswer {
		return tianbao.Invalid("bad_answer", "请填写答复，最多 4000 个字。")
	}
	if q.State == tianbao.QuestionPublished && !r.All {
		return tianbao.Invalid("already_public", "这个答复已经公开，只能改正后再公开。")
	}
	q.State, q.Shown = tianbao.QuestionAnswered, ""
	what := "question.answer"
	if r.All {
		may, err := s.Answerable(ctx, a, &q)
		if err != nil {
			return err
		}
		if !may {
			return tianbao.Invalid("not_yours", "只有发布这份通知的部门可以向所有单位公开答复，请改为只答复提问的单位。")
		}
		q.Shown = strings.TrimSpace(strings.ReplaceAll(r.Shown, "\r\n", "\n"))
		if k := utf8.RuneCountInString(q.Shown); k < 4 || k > MaxQuestion {
			return tianbao.Invalid("bad_shown", "请写好公开的问题，4 到 1000 个字；不要写出提问的单位和个人。")
		}
		if s.namesPerson(q.Shown) || s.namesPerson(q.Answer) {
			return tianbao.Invalid("holds_id", "公开的内容里有身份证号码，请删去后再公开。")
		}
		q.State, what = tianbao.QuestionPublished, "question.publish"
	}
	q.Turn = r.Turn
	q.Answered = s.Now()
	return s.Store.Answer(ctx, &q, a.User, a.Seats[i].ID, s.event(a, what, id, q.Unit, "notice="+q.Notice.String()))
}

// namesPerson reports whether a text holds a resident id.
func (s *Service) namesPerson(text string) bool {
	start := -1
	for i, c := range text + " " {
		if c >= '0' && c <= '9' || c == 'X' || c == 'x' {
			if start < 0 {
				start = i
			}
			continue
		}
		for ; start >= 0 && i-start >= 18; start++ {
			if ident.ResidentID(strings.ToUpper(text[start:start+18]), s.Now()) == ident.OK {
				return true
			}
		}
		start = -1
	}
	return false
}
