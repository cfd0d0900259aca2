package post

import (
	"time"

	"tianbao"
)

// State is how far a mail has come.
type State string

// The states. A mail that waits and is judged again becomes StateReceived.
const (
	StateReceived State = "received" // to be judged
	StateWaiting  State = "waiting"  // for an officer; answered with why
	StateJudged   State = "judged"   // its answer is to go out
	StateAnswered State = "answered"
	StateIgnored  State = "ignored" // gets no answer
	StateDropped  State = "dropped" // an officer, or the time, has dropped it
)

// States returns all states, in the order in which pages list them.
func States() []State {
	return []State{StateWaiting, StateReceived, StateJudged, StateAnswered, StateIgnored, StateDropped}
}

// Title returns the state in the users' words.
func (s State) Title() string {
	switch s {
	case StateReceived:
		return "待处理"
	case StateWaiting:
		return "待认领"
	case StateJudged:
		return "待回复"
	case StateAnswered:
		return "已回复"
	case StateIgnored:
		return "不回复"
	case StateDropped:
		return "已丢弃"
	}
	return ""
}

// Verdict is what became of a mail.
type Verdict string

// The verdicts.
const (
	VerdictNone     Verdict = ""
	VerdictSaved    Verdict = "saved"    // all its rows are saved
	VerdictFaulty   Verdict = "faulty"   // saved as a draft; faults are marked in the answer
	VerdictReported Verdict = "reported" // saved and reported upward
	VerdictRefused  Verdict = "refused"  // nothing is saved; the answer says why
	VerdictBound    Verdict = "bound"    // a code bound the sender, there was no workbook
	VerdictUnknown  Verdict = "unknown"  // waits: nobody knows the sender
	VerdictSuspect  Verdict = "suspect"  // waits: not from the domain that it names
	VerdictRebind   Verdict = "rebind"   // waits: a code for another unit than the sender's
	VerdictFailed   Verdict = "failed"   // waits: it could not be judged, several times
	VerdictAuto     Verdict = "auto"     // ignored: a machine sent it
	VerdictNobody   Verdict = "nobody"   // ignored: no one sender
	VerdictFlood    Verdict = "flood"    // ignored: too much of one sender, or of strangers
)

// Title returns the verdict in the users' words.
func (v Verdict) Title() string {
	switch v {
	case VerdictNone:
		return ""
	case VerdictSaved:
		return "已保存"
	case VerdictFaulty:
		return "有错，已存为草稿"
	case VerdictReported:
		return "已保存并上报"
	case VerdictRefused:
		return "没有导入"
	case VerdictBound:
		return "已绑定"
	case VerdictUnknown:
		return "发件人未绑定单位"
	case VerdictSuspect:
		return "来源可疑"
	case VerdictRebind:
		return "激活码属于其他单位"
	case VerdictFailed:
		return "多次处理不成"
	case VerdictAuto:
		return "自动邮件"
	case VerdictNobody:
		return "看不出发件人"
	case VerdictFlood:
		return "来信过多"
	}
	return ""
}

// Message is a mail.
type Message struct {
	ID       tianbao.ID
	Received time.Time
	Judged   time.Time
	State    State
	Verdict  Verdict
	// Fault is a letter.Fault or letter.Auto, for which it is not read.
	Fault    string
	Attempts int
	// Cleared: an officer has looked at it and wants it judged as the sender's.
	Cleared  bool
	Unit     tianbao.ID // of the sender when it was judged, 0: none
	UnitName string
	Size     int
	Copies   int // how often it came again
	Rows     int // that were in it
	Faults   int
	SPF      string
	DKIM     string
	DMARC    string
	Head     Head
}

// Head is what is shown of a mail; it is sealed.
type Head struct {
	From    string   `json:"from"`
	Subject string   `json:"subject"`
	ID      string   `json:"id,omitempty"` // Message-ID
	Files   []string `json:"files,omitempty"`
	// Receipts are the numbers that the answer names.
	Receipts []string `json:"receipts,omitempty"`
	Why      string   `json:"why,omitempty"` // the first sentence of the answer
}

// Sender is an address that is bound.
type Sender struct {
	ID       tianbao.ID
	Address  string
	Unit     tianbao.ID
	UnitName string
	UnitPath string
	How      How
	By       tianbao.ID
	At       time.Time
}

// How is how a sender was bound.
type How string

// The ways.
const (
	ByCode    How = "code"
	ByOfficer How = "officer"
)

// Title returns the way in the users' words.
func (h How) Title() string {
	if h == ByCode {
		return "激活码"
	}
	return "经办人员认领"
}

// Reply is an answer on its way.
type Reply struct {
	ID       tianbao.ID
	Message  tianbao.ID
	Attempts int
	Body     ReplyBody
	File     []byte // a marked copy, nil for none
}

// ReplyBody is what an answer says; it is sealed.
type ReplyBody struct {
	To       string    `json:"to"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	Re       string    `json:"re,omitempty"` // the Message-ID it answers
	FileName string    `json:"file,omitempty"`
	At       time.Time `json:"at"`
}
