package provision

import (
	"context"
	"fmt"
	"time"

	"tianbao"
)

// 验证手机号: whether a phone is the person's is shown by a code that is sent there and typed
// in on the page of the person's unit (ADR 0052).

// The measures of codes.
const (
	CodeDigits = 6
	CodeLife   = 10 * time.Minute
	CodeTries  = 5  // wrong ones a code
	CodeSends  = 5  // codes a phone a day
	CodeWrong  = 30 // wrong ones a unit a day, over all its phones
	CodePause  = time.Minute
	// CodeBatch is how many codes are sent at once: as many as a unit's people can type in
	// before they end.
	CodeBatch = 200
)

// ProofState is where a phone stands.
type ProofState string

// The states of a phone.
const (
	ProofNone    ProofState = "none"    // nothing was sent
	ProofWaiting ProofState = "waiting" // a code is on its way
	ProofSent    ProofState = "sent"    // a code counts
	ProofEnded   ProofState = "ended"   // a code went out and counts no more
	ProofFailed  ProofState = "failed"  // the way to the phone did not take it
	ProofDone    ProofState = "done"
)

// Title returns the state in the users' words.
func (s ProofState) Title() string {
	switch s {
	case ProofNone:
		return "未发送"
	case ProofWaiting:
		return "正在发送"
	case ProofSent:
		return "已发送，等待填写"
	case ProofEnded:
		return "验证码已失效"
	case ProofFailed:
		return "发送失败"
	case ProofDone:
		return "已验证"
	}
	return ""
}

// PhoneState is where the phone of a row stands.
type PhoneState struct {
	State ProofState
	At    time.Time // when it was shown, or the code was asked for
	Until time.Time // how long the code counts
	By    string    // who typed it in, or had it sent
}

// open reports whether a code may be asked for now, by hand or with many others.
func (p *PhoneState) open(now time.Time, hand bool) bool {
	switch p.State {
	case ProofDone, ProofWaiting:
		return false
	case ProofSent:
		return hand && now.Sub(p.At) >= CodePause
	}
	return true
}

// CodeOrder are codes to be sent together.
type CodeOrder struct {
	Campaign tianbao.ID
	At       time.Time
	By       tianbao.ID
	Rows     []Row
	IDs      []tianbao.ID // of the messages, one a row
}

// CodeMessage is a code on its way out. It prints itself without what is in it.
type CodeMessage struct {
	ID       tianbao.ID
	Phone    string
	Code     string
	Unit     tianbao.Unit
	Attempts int
	Made     time.Time
}

// Format prints a message as its id.
func (m CodeMessage) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "code %s", m.ID) }

// Text is what the message says.
func (m *CodeMessage) Text() string {
	return fmt.Sprintf("验证码%s，%d分钟内有效。%s登记了这个手机号，用来登录预算管理一体化平台；是您本人的，请把验证码告诉本单位的填报人，不是的请不要理会。", m.Code, int(CodeLife/time.Minute), m.Unit.Name)
}

// CodeTry is a code that somebody typed in.
type CodeTry struct {
	Row      Row
	Campaign tianbao.ID
	Code     string
	By       tianbao.ID
	At       time.Time
	ID       tianbao.ID // of the proof to come
	Event    tianbao.Event
}

// CodeResult is what became of it.
type CodeResult int

// The results.
const (
	CodeRight CodeResult = iota
	CodeFalse
	CodeGone   // no code counts for the phone
	CodeLocked // the unit typed in too many wrong ones today
)

// PhoneWork is how many people of a unit are held until their phones are verified.
type PhoneWork struct {
	Campaign tianbao.ID
	Title    string
	Unit     tianbao.ID
	UnitName string
	People   int
}

// CodeStore keeps codes and proofs.
type CodeStore interface {
	// PhoneRows returns the accepted rows that are a unit's own in a campaign.
	PhoneRows(ctx context.Context, scope tianbao.Scope, campaign, unit tianbao.ID) (title string, rows []Row, err error)
	// PhoneStates tells where the phones of rows stand, in their order.
	PhoneStates(ctx context.Context, rows []Row, at time.Time) ([]PhoneState, error)
	// PhoneWork lists units in scope with people whom the newest plans hold for their phones.
	PhoneWork(ctx context.Context, scope tianbao.Scope, limit int) ([]PhoneWork, error)
	// OrderCodes notes which codes are to be sent, those of phones that had their number of
	// the day or one just now left out; what the person had shown of another phone falls.
	OrderCodes(ctx context.Context, o *CodeOrder, event func(i int) tianbao.Event) (sent int, err error)
	// DueCodes returns messages that are to go out, or whose lease is over.
	DueCodes(ctx context.Context, at time.Time, limit int) ([]tianbao.ID, error)
	// FreeCodes gives back the messages that anybody has in hand.
	FreeCodes(ctx context.Context) error
	// ClaimCode takes a message in hand; its code counts from then on.
	ClaimCode(ctx context.Context, sending tianbao.ID, node string, at, until time.Time) (m CodeMessage, ok bool, err error)
	// FinishCode notes what became of a message: out, to be tried again at next, or failed
	// (next zero).
	FinishCode(ctx context.Context, m *CodeMessage, node string, sent bool, at, next time.Time, events ...tianbao.Event) error
	// TryCode holds a code against the one that counts for the person and the phone of a
	// row. The right one counts once, and makes the proof.
	TryCode(ctx context.Context, t *CodeTry) (CodeResult, int, error)
	// ProvenPhones returns the phones of rows that were shown to be the person's.
	ProvenPhones(ctx context.Context, rows []Row) (func(person, phone string) bool, error)
}

// CodeSender takes codes out of the house. An error that has a method Permanent which
// answers true is not tried again.
type CodeSender interface {
	SendCode(ctx context.Context, m *CodeMessage) error
}
