package web

import (
	"net/http"

	"tianbao"
	"tianbao/internal/message"
	"tianbao/internal/remind"
)

// noticeReadersPage is the data of noticereaders.html.
type noticeReadersPage struct {
	message.Receipts
	Show   string // "read": the readers are listed; "mail": the copies; else the units behind
	Next   int
	Copied []wireCopied
	Copies []wireReminder
	More   tianbao.ID // before which the next page of copies begins
}

// noticeReaders tells who of the viewer's units read a notice.
func (s *Server) noticeReaders(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	show, offset := r.URL.Query().Get("show"), atoi(r.URL.Query().Get("offset"), 0)
	got, err := s.Messages.Receipts(r.Context(), v.reader(r), id, show == "read", offset, noticesPageSize+1)
	if err != nil {
		return err
	}
	p := noticeReadersPage{Receipts: got, Show: show}
	if len(got.Behind) > noticesPageSize {
		p.Behind, p.Next = got.Behind[:noticesPageSize], offset+noticesPageSize
	}
	if len(got.Readers) > noticesPageSize {
		p.Readers, p.Next = got.Readers[:noticesPageSize], offset+noticesPageSize
	}
	if got.Notice.Mail && show == "mail" {
		if err := s.copies(r, &p); err != nil {
			return err
		}
	}
	f := got.Figures
	out := wireReaders{Units: f.Units, Read: f.Read, Unread: f.Unread(), Earlier: f.Earlier, NoAccount: f.NoAccount, Next: p.Next, Copied: p.Copied, Copies: p.Copies}
	for _, b := range p.Behind {
		out.Behind = append(out.Behind, wireBehind{b.Unit.ID, b.Unit.Name, b.Version, b.Account})
	}
	for _, b := range p.Readers {
		out.Readers = append(out.Readers, wireReceived{b.Unit.ID, b.Unit.Name, b.Name, b.Version, stamp(b.First), stamp(b.At)})
	}
	return s.answer(w, r, v, out, "noticereaders.html", "阅读情况", &p)
}

// copies lists what became of a notice's copies by mail.
func (s *Server) copies(r *http.Request, p *noticeReadersPage) error {
	counts, err := s.Reminders.Store.CountCopies(r.Context(), p.Scope, p.Notice.ID)
	if err != nil {
		return err
	}
	for _, c := range counts {
		p.Copied = append(p.Copied, wireCopied{c.State, c.N})
	}
	ask := remind.Query{Notice: p.Notice.ID, Limit: noticesPageSize}
	ask.Before, _ = tianbao.ParseID(r.URL.Query().Get("before")) // none: the first page
	list, err := s.Reminders.Store.Reminders(r.Context(), p.Scope, 0, ask)
	for i := range list {
		p.Copies = append(p.Copies, toReminder(&list[i]))
	}
	if len(list) == noticesPageSize {
		p.More = list[len(list)-1].ID
	}
	return err
}

// askQuestion takes a unit's question about a notice.
func (s *Server) askQuestion(w http.ResponseWriter, r *http.Request, v *viewer) error {
	notice, err := pathID(r, "notice")
	if err != nil {
		return err
	}
	var in wireAskQuestion
	if err := read(r, &in); err != nil {
		return err
	}
	a := v.reader(r)
	id, err := s.Messages.Ask(r.Context(), a, notice, in.Unit, in.Text)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrTooMany) {
			return err
		}
		view, verr := s.Messages.Show(r.Context(), a, notice)
		if verr != nil {
			return verr
		}
		return s.noticeAnswer(w, r, v, statuses[tianbao.KindOf(err)], &view, asError(err).Message, in.Text)
	}
	return s.done(w, r, wireMade{id}, noticePath(notice)+"#questions")
}

// questionsPage is the data of questions.html.
type questionsPage struct {
	Questions []tianbao.Question
	State     tianbao.QuestionState
	Open      int
	Notice    tianbao.ID
	Next      int
}

// questions lists what units in the viewer's scope ask.
func (s *Server) questions(w http.ResponseWriter, r *http.Request, v *viewer) error {
	q, a := r.URL.Query(), v.reader(r)
	p := questionsPage{State: tianbao.QuestionState(q.Get("state"))}
	if p.State.Title() == "" {
		p.State = tianbao.QuestionOpen
	}
	p.Notice, _ = tianbao.ParseID(q.Get("notice")) // none: about all
	offset := atoi(q.Get("offset"), 0)
	var err error
	p.Questions, err = s.Messages.Store.Questions(r.Context(), a.Leads, p.Notice, p.State, offset, noticesPageSize+1)
	if err != nil {
		return err
	}
	if len(p.Questions) > noticesPageSize {
		p.Questions, p.Next = p.Questions[:noticesPageSize], offset+noticesPageSize
	}
	if p.Open, err = s.Messages.Store.OpenQuestions(r.Context(), a.Leads); err != nil {
		return err
	}
	return s.answer(w, r, v, wireQuestions{toQuestions(p.Questions), p.Next}, "questions.html", "答疑", &p)
}

// questionPage is the data of question.html.
type questionPage struct {
	CSRF    string
	Q       tianbao.Question
	ForAll  bool // the viewer may publish the answer
	In      wireReply
	Message string
}

func (s *Server) question(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.questionShow(w, r, v, http.StatusOK, "", nil)
}

func (s *Server) questionShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, problem string, in *wireReply) error {
	id, err := pathID(r, "question")
	if err != nil {
		return err
	}
	a := v.reader(r)
	q, err := s.Messages.Store.Question(r.Context(), a.Leads, id)
	if err != nil {
		return err
	}
	if wantsJSON(r) {
		return s.json(w, status, toQuestion(&q))
	}
	p := questionPage{CSRF: v.signed.CSRF, Q: q, Message: problem, In: wireReply{Answer: q.Answer, Shown: q.Shown, Turn: q.Turn, All: q.State == tianbao.QuestionPublished}}
	if in != nil {
		p.In = *in
	}
	if p.ForAll, err = s.Messages.Answerable(r.Context(), a, &q); err != nil {
		return err
	}
	s.page(w, r, v, status, "question.html", "答复提问", &p)
	return nil
}

func (s *Server) answerQuestion(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "question")
	if err != nil {
		return err
	}
	var in wireReply
	if err := read(r, &in); err != nil {
		return err
	}
	err = s.Messages.Answer(r.Context(), v.reader(r), id, &message.Reply{Text: in.Answer, All: in.All, Shown: in.Shown, Turn: in.Turn})
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.questionShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, &in)
	}
	return s.done(w, r, wireMade{id}, "/questions")
}
