package web

import (
	"net/http"

	"tianbao"
)

// livingRoutes are those of registers of people and of the round that confirms them.
func (s *Server) livingRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	see, fill, runs := unitIn(tianbao.PowerSee), unitIn(tianbao.PowerFill), needing(tianbao.PowerCampaign)
	const c = "/collections/{campaign}"
	const unit = c + "/units/{unit}/register"
	return []route{
		{get, "/registers", viewers, s.registers, "registers", "The collections that are kept as registers, with how many changes wait in the caller's part of the register of units", nil, wireRegisters{}, false, 0},
		{get, c + "/register", viewers, s.registerChanges, "registerChanges", "Changes of people in the caller's part of the register of units, masked; query: state, unit, before", nil, wireRegisterChanges{}, false, 0},
		{post, c + "/register/{change}", needing(tianbao.PowerRegister), s.decideChange, "decideChange", "Accept a waiting change of a unit below, or return it with a remark", wireDecision{}, wireDone{}, false, 0},
		{get, unit, see, s.roster, "roster", "Who is in a unit of a register, masked, and its changes; query: day", nil, wireRoster{}, false, 0},
		{post, unit, fill, s.reportChange, "reportChange", "Report a change: join, leave, phone, move or part, from a day on", wireReportChange{}, wireReported{}, false, 64 << 10},
		{post, unit + "/{change}/withdraw", fill, s.withdrawChange, "withdrawChange", "Withdraw a waiting change of the unit", wireEmpty{}, wireDone{}, false, 0},
		{get, unit + "/people/{row}", see, s.personLife, "personTimeline", "The timeline of somebody who is or was in the unit, as far as the caller sees the units concerned", nil, wireLife{}, false, 0},
		{post, c + "/keep", runs, s.keep, "keepRegister", "Keep an ended collection as a register of people, or stop that", wireKeep{}, wireMade{}, false, 0},
		{post, c + "/prefill", runs, s.prefill, "prefillCollection", "Set from which collection one that is being prepared is prefilled, to be confirmed", wirePrefill{}, wireMade{}, false, 0},
		{get, "/reports/{report}/confirm", ownReport, s.askedPeople, "askedPeople", "Those of the round before whom the report's unit is asked about", nil, wireAsked{}, false, 0},
		{post, "/reports/{report}/confirm", ownReport, s.confirmPeople, "confirmPeople", "Say who stays, who left, or that it is to be asked again", wireConfirm{}, wireConfirmed{}, false, 256 << 10},
	}
}
