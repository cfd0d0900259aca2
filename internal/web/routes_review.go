package web

import (
	"net/http"

	"tianbao"
)

// reviewRoutes are those of reviewers, and of 零申报 and 免报.
func (s *Server) reviewRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	review, reviewUnit := needing(tianbao.PowerReview), unitIn(tianbao.PowerReview)
	const c = "/collections/{campaign}"
	return []route{
		{get, "/review", review, s.reviews, "reviews", "The collections that are reviewed", nil, wireReviews{}, false, 0},
		{get, c + "/review", review, s.reviewList, "reviewUnits", "Units in the review; query: view (waiting by default, returned, passed, all), code of a rule that asks for a reason, sheet (a report), in (a unit above), after", nil, wireReviewUnits{}, false, 0},
		{post, c + "/review", review, s.judge, "judge", "Pass units, return them or withdraw the last pass, all of them or none", wireJudge{}, wireDone{}, false, 0},
		{get, c + "/review/{unit}", reviewUnit, s.reviewUnit, "reviewUnit", "The rows of a unit, masked, with faults, reasons and what changed since the last return; query: offset", nil, wireReviewSheet{}, false, 0},
		{post, c + "/review/{unit}", reviewUnit, s.judgeUnit, "judgeUnit", "Pass the unit, return it with remarks on cells, or withdraw the last pass", wireJudge{}, wireDone{}, false, 0},
		{get, c + "/reasons", review, s.reasons, "reasons", "Rows with reasons for faults that ask for one; query: code, region, after", nil, wireReasons{}, false, 0},
		{post, c + "/levels", needing(tianbao.PowerCampaign), s.setLevels, "setLevels", "Set which levels review a collection, none: nobody; refused while units are passed", wireLevels{}, wireMade{}, false, 0},
		{get, c + "/declarations", needing(tianbao.PowerLock), s.declarations, "declarations", "Nil reports and exemptions in the caller's part of the register", nil, wireDeclarations{}, false, 0},
		{post, c + "/declarations", needing(tianbao.PowerLock), s.exempt, "exempt", "Exempt units below; as a form it may bring the file proof", wireDeclare{}, wireDone{}, false, maxDeclare},
		{get, c + "/units/{unit}/declaration", unitIn(tianbao.PowerSee), s.declaration, "declaration", "What is declared of a unit instead of rows", nil, wireDeclaration{}, false, 0},
		{post, c + "/units/{unit}/declaration", unitIn(tianbao.PowerFill), s.declareNil, "declareNil", "A nil report: the unit has nobody to report; as a form it may bring the file proof", wireDeclare{}, wireDone{}, false, maxDeclare},
		{post, c + "/units/{unit}/declaration/end", unitIn(tianbao.PowerFill), s.takeBack, "endDeclaration", "Take back what is declared of a unit", wireEmpty{}, wireDone{}, false, 0},
		{get, c + "/units/{unit}/declaration/proof", unitIn(tianbao.PowerSee), s.proof, "proof", "The file of what is declared of a unit", nil, nil, false, 0},
	}
}
