package web

import (
	"net/http"

	"tianbao"
)

// messageTable lists the routes of notices and questions. Who may read or lead a notice
// and see a question is in the query (internal/message, internal/store).
func (s *Server) messageTable() []route {
	const get, post = http.MethodGet, http.MethodPost
	leads, fills := needing(tianbao.PowerLock), needing(tianbao.PowerFill)
	return []route{
		{get, "/notices", signedIn, s.notices, "notices", "The notices for the caller, newest first, with what is unread; for bureaus also their own ones", nil, wireNotices{}, false, 0},
		{get, "/notices/{notice}", signedIn, s.notice, "notice", "One notice with its files, the caller's questions and the published answers; leaves a receipt", nil, wireNotice{}, false, 0},
		{get, "/notices/{notice}/attachments/{attachment}", signedIn, s.attachment, "attachment", "A file of a notice", nil, nil, false, 0},
		{get, "/notices/{notice}/versions", signedIn, s.noticeVersions, "noticeVersions", "What a notice said before it was amended", nil, wireNoticeVersions{}, false, 0},
		{post, "/notices/{notice}/questions", fills, s.askQuestion, "askQuestion", "Ask the bureaus above about a notice, for a unit of the caller", wireAskQuestion{}, wireMade{}, false, 16 << 10},

		{get, "/notices/new", leads, s.newNotice, "newNotice", "The page to write a notice", nil, nil, false, 0},
		{post, "/notices", leads, s.makeNotice, "makeNotice", "Write a notice as a draft, for the subtrees of units in the caller's scope", wireNoticeText{}, wireMade{}, false, 256 << 10},
		{post, "/notices/preview", leads, s.previewNotice, "previewNotice", "How a notice would look; writes nothing", wireNoticeText{}, wirePreview{}, false, 256 << 10},
		{get, "/notices/{notice}/edit", leads, s.editNoticePage, "editNoticePage", "The page to change a notice of the own bureau", nil, wireNotice{}, false, 0},
		{post, "/notices/{notice}", leads, s.editNotice, "editNotice", "Change a draft, or amend a published notice: whoever read it is told", wireNoticeText{}, wireMade{}, false, 256 << 10},
		{post, "/notices/{notice}/attachments", leads, s.attachFile, "attachFile", "Add a file to a notice; to a published one as an amendment", wireTurn{}, wireMade{}, true, maxFile + 64<<10},
		{post, "/notices/{notice}/attachments/{attachment}/remove", leads, s.detachFile, "detachFile", "Take a file away from a notice; from a published one as an amendment", wireTurn{}, wireMade{}, false, 4 << 10},
		{post, "/notices/{notice}/publish", leads, s.publishNotice, "publishNotice", "Publish a draft, with a copy by mail where the caller asks for it", wirePublish{}, wireMade{}, false, 4 << 10},
		{post, "/notices/{notice}/withdraw", leads, s.withdrawNotice, "withdrawNotice", "Withdraw a published notice; its title stays for those whom it was for", wireTurn{}, wireMade{}, false, 4 << 10},
		{get, "/notices/{notice}/readers", leads, s.noticeReaders, "noticeReaders", "How many units in the caller's scope read a notice, and which did not; with ?show=read who did, with ?show=mail what became of the copies by mail", nil, wireReaders{}, false, 0},

		{get, "/questions", leads, s.questions, "questions", "Questions of units in the caller's scope, the oldest open one first; query: state, notice, offset", nil, wireQuestions{}, false, 0},
		{get, "/questions/{question}", leads, s.question, "question", "One of them", nil, wireQuestion{}, false, 0},
		{post, "/questions/{question}/answer", leads, s.answerQuestion, "answerQuestion", "Answer to the unit; or, from the notice's own bureau, once for all whom it is for", wireReply{}, wireMade{}, false, 64 << 10},
	}
}
