package letter

import "strings"

// Letter is a mail that was read.
type Letter struct {
	// ID is its Message-ID without brackets, "" where it has none.
	ID string
	// From is the address of the sender in small letters.
	From    string
	Subject string
	// Text is the beginning of what the sender wrote.
	Text  string
	Files []File
	Auto  Auto
	Auth  Auth
}

// File is a file that came with a mail.
type File struct {
	Name string
	Kind Kind
	Data []byte // of a Workbook
}

// Kind is what a file is, by its content.
type Kind string

// The kinds.
const (
	Workbook Kind = "workbook" // may be one: internal/sheet decides
	TNEF     Kind = "tnef"     // winmail.dat of Outlook: files in a wrapping that others cannot open
	Archive  Kind = "archive"  // of a format that is not opened
	Locked   Kind = "locked"   // an archive with a password
	Damaged  Kind = "damaged"  // an archive that does not open
	Empty    Kind = "empty"
	TooLarge Kind = "too_large"
	Other    Kind = "other" // a picture, a text, whatever else
)

// Fault is why a mail is not read at all.
type Fault string

// The faults.
const (
	FaultLarge  Fault = "large"  // more bytes than are taken
	FaultParts  Fault = "parts"  // too many parts, or too deeply nested
	FaultFiles  Fault = "files"  // too many files
	FaultBomb   Fault = "bomb"   // archives unfold to too much
	FaultSender Fault = "sender" // no address, or several, in From
	FaultHeader Fault = "header" // no header, or too much of it
)

// Error names the fault.
func (f Fault) Error() string { return "letter: refused: " + string(f) }

// Limits bound what is read.
type Limits struct {
	Bytes    int // of a mail
	Header   int // bytes of one header
	Depth    int // of parts within parts, messages and archives counted
	Parts    int
	Files    int
	File     int // bytes of one file
	Inflated int // bytes of all files of archives
	Text     int // bytes of Letter.Text
}

// DefaultLimits are those of a mailbox: a workbook may have 20 MiB, which base64 makes
// 27, and a mail may carry two.
func DefaultLimits() Limits {
	return Limits{Bytes: 60 << 20, Header: 256 << 10, Depth: 8, Parts: 200, Files: 20, File: 20 << 20, Inflated: 64 << 20, Text: 32 << 10}
}

// Options are how a mail is read.
type Options struct {
	Limits Limits
	// Trusted is the host whose Authentication-Results count, "" for none.
	Trusted string
	// Own are the addresses from which we write, by which our own mails are known.
	Own []string
}

// Read reads a mail. The error is a [Fault]; the Letter holds what was read before it:
// the sender where he could be told, so that he may be answered.
func Read(raw []byte, o Options) (*Letter, error) {
	l := &Letter{}
	h, body, err := splitHeader(raw, o.Limits.Header)
	if err != nil {
		return l, err
	}
	l.ID = messageID(h)
	l.Subject = clipRunes(oneLine(decodeWords(h.get("Subject"))), maxSubject)
	l.Auto = autoOf(h, o.Own)
	l.From, err = sender(h)
	l.Auth = authOf(h, o.Trusted, domainOf(l.From))
	if l.Auto == "" && isOwn(l.From, o.Own) {
		l.Auto = AutoLoop
	}
	if err != nil {
		return l, err
	}
	if len(raw) > o.Limits.Bytes {
		return l, FaultLarge
	}
	if l.Auto != "" {
		return l, nil // nobody reads what a machine sent
	}
	w := &walker{limits: o.Limits, letter: l}
	if err := w.part(h, body, 0); err != nil {
		l.Files = nil
		return l, err
	}
	if l.Text == "" {
		l.Text = w.html
	}
	return l, nil
}

// maxSubject and maxName bound what is kept of a subject and of a file's name, in
// characters; maxID bounds a Message-ID, in bytes (RFC 5322 §2.1.1: a line).
const (
	maxSubject = 300
	maxName    = 150
	maxID      = 998
)

func messageID(h header) string {
	id := strings.TrimSpace(h.get("Message-ID"))
	if open := strings.IndexByte(id, '<'); open >= 0 {
		id = id[open+1:]
		if end := strings.IndexByte(id, '>'); end >= 0 {
			id = id[:end]
		}
	}
	if id = strings.TrimSpace(id); len(id) > maxID {
		return ""
	}
	return id
}
