package web

import (
	"net/http"

	"tianbao"
)

// compareRoutes lists the routes of the comparison with the old system's list, and of what
// stands in several units. What lies in the caller's part of the register is in the queries.
func (s *Server) compareRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	keeps := needing(tianbao.PowerRegister)
	return []route{
		{get, "/compare", keeps, s.comparing, "compare", "What a collection gathered beside the old system's list, in the caller's scope; query: campaign, of (whose list), list, region, unit, settled, offset", nil, wireCompared{}, false, 0},
		{post, "/compare/runs", keeps, s.runCompare, "runCompare", "Bring a comparison up to date", wireRunCompare{}, wireRun{}, false, 4 << 10},
		{get, "/compare/runs/{run}", keeps, s.compareRun, "compareRun", "How far a run has come", nil, wireRun{}, false, 0},
		{get, "/compare/lists", keeps, s.oldLists, "oldLists", "The versions of the old lists in the caller's scope or above it", nil, wireOldLists{}, false, 0},
		{post, "/compare/lists", keeps, s.loadOldList, "loadOldList", "Send the old list of the caller's bureau; answers its columns, and what is known of them", wireListFile{}, wireListLoad{}, true, maxFile + 64<<10},
		{get, "/compare/lists/{load}", keeps, s.oldListLoad, "oldListLoad", "How far an old list has come", nil, wireListLoad{}, false, 0},
		{post, "/compare/lists/{load}/apply", keeps, s.applyOldList, "applyOldList", "Say which column is what, and make it the list; the one before stays as a version", wireListColumns{}, wireListLoad{}, false, 16 << 10},
		{post, "/compare/lists/drop", keeps, s.dropOldList, "dropOldList", "Delete the old list of the caller's bureau for good, in all its versions, with what was found of it; who decided what stays, without the reasons", wireDropList{}, wireDropped{}, false, 4 << 10},
		{get, "/compare/doubles", keeps, s.doubles, "doubles", "What stands in several places of a collection: kind person (one id in several units), phone (one phone under several ids), user (one old user name in several rows); rows out of the caller's scope are told as such only; query: campaign, kind, offset", nil, wireDoubles{}, false, 0},
		{get, "/comparisons/{comparison}/lines/{line}", keeps, s.compareLine, "compareLine", "What was found of one line, with its evidence; ids and phones are masked", nil, wireComparedLine{}, false, 0},
		{post, "/comparisons/{comparison}/lines/{line}/decision", keeps, s.decideLine, "decideLine", "Say of a line, with a reason, that it is the same as the other one (same), is not (apart), needs nothing (ignore) or is to be corrected (correct)", wireDecideLine{}, wireDone{}, false, 4 << 10},
		{post, "/comparisons/{comparison}/decisions/{decision}/undo", keeps, s.undoDecision, "undoDecision", "Take a decision back", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/comparisons/{comparison}/export", keeps, s.exportCompared, "exportCompared", "The four lists as a workbook, ids and phones masked; whole with the power, a reason and the second factor", wireComparedExport{}, nil, false, 4 << 10},
		{get, "/comparisons/{comparison}/units", keeps, s.strangeUnits, "strangeUnits", "The units of the old list that the register does not know", nil, wireStrangeUnits{}, false, 0},
		{post, "/comparisons/{comparison}/units/export", keeps, s.exportStrange, "exportStrange", "These units as a workbook of the register, to be completed and imported", wireEmpty{}, nil, false, 4 << 10},
	}
}
