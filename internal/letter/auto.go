package letter

import "strings"

// Auto is why a mail is none that a person wrote to be answered; "" for one that is.
type Auto string

// The reasons.
const (
	AutoBounce Auto = "bounce" // a report of delivery
	AutoReply  Auto = "reply"  // an absence note, an acknowledgement
	AutoList   Auto = "list"   // of a mailing list or in bulk
	AutoLoop   Auto = "loop"   // our own, come back
)

// LoopField is the field by which our own mails are known when they come back.
const LoopField = "X-Loop"

// maxHops is how many servers a mail may have passed (RFC 5321 §6.3 asks for at least 100
// to be let through by servers; mails of people pass a dozen).
const maxHops = 50

// autoOf tells from the header (RFC 3834 §2, RFC 2919, RFC 3464) whether a machine sent a
// mail. X-Auto-Response-Suppress is no sign of that: Outlook writes it into mails of people.
func autoOf(h header, own []string) Auto {
	for _, v := range h.all(LoopField) {
		if isOwn(strings.ToLower(strings.Trim(strings.TrimSpace(v), "<>")), own) {
			return AutoLoop
		}
	}
	if len(h.all("Received")) > maxHops {
		return AutoLoop
	}
	kind := parseValue(h.get("Content-Type"))
	if h.has("Return-Path") && strings.TrimSpace(h.get("Return-Path")) == "<>" || kind.first == "multipart/report" || h.has("X-Failed-Recipients") {
		return AutoBounce
	}
	if list := addresses(h.get("From")); len(list) == 1 {
		switch local, _, _ := strings.Cut(list[0], "@"); local {
		case "mailer-daemon", "postmaster":
			return AutoBounce
		case "noreply", "no-reply", "donotreply", "do-not-reply":
			return AutoReply
		}
	}
	if v := parseValue(h.get("Auto-Submitted")); v.first != "" && v.first != "no" {
		return AutoReply
	}
	switch strings.ToLower(strings.TrimSpace(h.get("Precedence"))) {
	case "auto_reply", "auto-reply":
		return AutoReply
	case "bulk", "junk", "list":
		return AutoList
	}
	if h.has("X-Autoreply") || h.has("X-Autorespond") || h.has("X-Autoresponder") {
		return AutoReply
	}
	if h.has("List-Id") || h.has("List-Unsubscribe") {
		return AutoList
	}
	// Webmail of some providers marks its absence notes by the subject alone.
	subject := strings.TrimSpace(decodeWords(h.get("Subject")))
	for _, begin := range []string{"自动回复:", "自动回复：", "[自动回复]", "【自动回复】", "Automatic reply:", "系统退信"} {
		if strings.HasPrefix(subject, begin) {
			return AutoReply
		}
	}
	return ""
}

func isOwn(address string, own []string) bool {
	for _, o := range own {
		if address != "" && strings.EqualFold(address, o) {
			return true
		}
	}
	return false
}
