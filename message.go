package tianbao

import "time"

// NoticeState is how far a notice has come.
type NoticeState string

// The states.
const (
	NoticeDraft     NoticeState = "draft"     // 草稿: only who may publish it sees it
	NoticePublished NoticeState = "published" // 已发布
	NoticeWithdrawn NoticeState = "withdrawn" // 已撤回: its title stays, so that whoever read it learns of it
)

// Title returns the state in the users' words.
func (s NoticeState) Title() string {
	switch s {
	case NoticeDraft:
		return "草稿"
	case NoticePublished:
		return "已发布"
	case NoticeWithdrawn:
		return "已撤回"
	}
	return ""
}

// Notice is a message to units (消息公告).
type Notice struct {
	ID     ID
	Title  string
	Issuer string // the name under which it is published
	Body   string
	// Plain tells that Body is plain text, as officers write it; else it is Markdown.
	Plain       bool
	State       NoticeState
	Version     int // 0: never published; each amendment is another one
	At          time.Time
	Amended     time.Time // zero: never
	Withdrawn   time.Time // zero: not
	Attachments []Attachment
	// Owner is the unit whose bureau publishes it, 0: the program.
	Owner ID
	// Everyone tells that it is for all who may sign in; else it is for the subtrees of Units.
	Everyone bool
	Units    []Unit
	Campaign ID    // the collection it is about, 0: none
	Mail     bool  // its units get a copy by mail
	Turn     int64 // another one after each change, also of a draft
	// Mine tells that it is addressed to the viewer, Seen which version the viewer read, 0: none.
	Mine bool
	Seen int
}

// Unread reports whether the viewer has something of the notice to read.
func (n *Notice) Unread() bool {
	return n.Mine && n.State == NoticePublished && n.Seen < n.Version
}

// Attachment is a file that belongs to a notice.
type Attachment struct {
	ID   ID
	Name string
	Type string // media type
	Size int64
	Data []byte // only when asked for
}

// QuestionState is how far a question has come.
type QuestionState string

// The states.
const (
	QuestionOpen      QuestionState = "open"      // 待答复
	QuestionAnswered  QuestionState = "answered"  // 已答复: to the unit that asked
	QuestionPublished QuestionState = "published" // 已公开答复: under the notice, for all whom it is for
)

// Title returns the state in the users' words.
func (s QuestionState) Title() string {
	switch s {
	case QuestionOpen:
		return "待答复"
	case QuestionAnswered:
		return "已答复"
	case QuestionPublished:
		return "已公开答复"
	}
	return ""
}

// Question is what a unit asks about a notice. Its texts may name people: they are sealed
// at rest, and errors and logs do not hold them.
type Question struct {
	ID       ID
	Notice   ID
	Title    string // the notice's
	Unit     ID     // which asks; 0 where the reader may not know
	UnitName string
	UnitPath string
	By       ID
	At       time.Time
	State    QuestionState
	Asked    string // as the unit wrote it; empty where the reader may not know
	Shown    string // as it is published
	Answer   string
	Answered time.Time
	Bureau   string // which answered
	Turn     int64  // another one after each change
}
