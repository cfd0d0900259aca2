package tianbao

// News is what other systems are told of an event: by webhooks, and by the feed that they
// read. It has ids and counts, and nothing of a person. The unit concerned is the event's
// Owner, whose news is told in the order in which it happened.
type News struct {
	Kind     NewsKind
	Campaign ID
	Report   ID    // 0: the unit's own in the collection, if there is one
	Version  int64 // of the report
	Rows     int   // in the report
	Put      int   // rows that were written
	Deleted  int   // rows that went
}

// NewsKind is what happened, in the words of the interface.
type NewsKind string

// The kinds of news.
const (
	NewsSubmitted NewsKind = "report.submitted"  // 提交: rows were saved
	NewsReported  NewsKind = "report.reported"   // 上报
	NewsPassed    NewsKind = "report.passed"     // a level of review passed the unit
	NewsReturned  NewsKind = "report.returned"   // 退回
	NewsWithdrawn NewsKind = "report.withdrawn"  // a pass was taken back
	NewsDeclared  NewsKind = "declaration.made"  // 零申报 or 免报
	NewsRevoked   NewsKind = "declaration.ended" // taken back
	NewsChanged   NewsKind = "change.accepted"   // a change of a person after the round
	NewsAccounts  NewsKind = "accounts.applied"  // a plan of accounts was carried out to its end
)

// NewsKinds returns all kinds, in the order in which pages list them.
func NewsKinds() []NewsKind {
	return []NewsKind{
		NewsSubmitted, NewsReported, NewsPassed, NewsReturned, NewsWithdrawn, NewsDeclared, NewsRevoked, NewsChanged, NewsAccounts,
	}
}

// Title returns the kind in the users' words, "" for one that does not exist.
func (k NewsKind) Title() string {
	switch k {
	case NewsSubmitted:
		return "提交了填报内容"
	case NewsReported:
		return "上报"
	case NewsPassed:
		return "审核通过"
	case NewsReturned:
		return "审核退回"
	case NewsWithdrawn:
		return "撤回审核通过"
	case NewsDeclared:
		return "零申报或免报"
	case NewsRevoked:
		return "撤销零申报或免报"
	case NewsChanged:
		return "人员变更已核准"
	case NewsAccounts:
		return "账号方案执行完毕"
	}
	return ""
}

// News returns what others are told of a verdict.
func (k VerdictKind) News() NewsKind {
	switch k {
	case VerdictPass:
		return NewsPassed
	case VerdictReturn:
		return NewsReturned
	}
	return NewsWithdrawn
}
