package web

import (
	"net/http"

	"tianbao"
)

// mailTable lists the routes of reports that come by mail. Which mails the caller sees is
// in the query: those of units in scope, and those of strangers for who has a whole tree.
func (s *Server) mailTable() []route {
	const get, post = http.MethodGet, http.MethodPost
	keeps := needing(tianbao.PowerMail)
	return []route{
		{get, "/mail", keeps, s.mails, "mails", "The mails with reports that the caller sees, newest first; query: state, before", nil, wireMails{}, false, 0},
		{get, "/mail/senders", keeps, s.mailSenders, "mailSenders", "The addresses whose mails count as those of units in the caller's scope", nil, wireSenders{}, false, 0},
		{post, "/mail/senders/{sender}/end", keeps, s.unbindSender, "unbindSender", "Let an address count as nobody's", wireEmpty{}, wireDone{}, false, 4 << 10},
		{get, "/mail/{mail}", keeps, s.mail, "mail", "One mail with what it holds, masked", nil, wireMail{}, false, 0},
		{post, "/mail/{mail}/bind", keeps, s.bindSender, "bindSender", "Let its sender count as a unit in the caller's scope, and have it and what else waits of that sender judged again", wireBindSender{}, wireBoundSender{}, false, 4 << 10},
		{post, "/mail/{mail}/replay", keeps, s.replayMail, "replayMail", "Have a mail that waits judged again, as its sender's", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/mail/{mail}/drop", keeps, s.dropMail, "dropMail", "Drop a mail that waits, with all that it holds", wireEmpty{}, wireDone{}, false, 4 << 10},
	}
}
