package storetest

import (
	"testing"

	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/post"
	"tianbao/internal/report"
	"tianbao/internal/store"
)

// The store is what the packages below it ask for.
var (
	_ report.Store = (*store.Store)(nil)
	_ auth.Store   = (*store.Store)(nil)
	_ audit.Store  = (*store.Store)(nil)
	_ post.Store   = (*store.Store)(nil)
)

// Run runs the whole suite, each test on a new store that open gives.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	tests := []struct {
		name string
		fn   func(*world)
	}{
		{"rows stand where they were put", testOrder},
		{"rows at the end and after rows that are gone", testOrderAtEnd},
		{"a gap that is used up is made anew", testRenumber},
		{"the order of random edits", testRandomOrder},
		{"cells, marks and reasons come back", testRoundTrip},
		{"rows that are touched", testTouched},
		{"a stale commit leaves nothing", testStale},
		{"one key is one change set", testDuplicate},
		{"one key sent at once", testRacedKey},
		{"one version taken at once", testRacedVersion},
		{"new rows by the names a person gave them", testNamed},
		{"a commit that fails leaves nothing", testFailedCommit},
		{"a snapshot is one moment", testSnapshot},
		{"windows of a report", testWindow},
		{"windows across reports", testAcross},
		{"an import in parts", testStaged},
		{"an import in parts with places", testStagedOrder},
		{"an import in parts that meets others or dies", testStagedStale},
		{"history comes back", testHistory},
		{"reported upward", testReported},
		{"receipts", testReceipts},
		{"imports", testImports},
		{"drafts", testDrafts},
		{"what is newer than a version", testNewer},
		{"sealed values are found by their index", testFindByKey},
		{"nothing is stored in clear", testSealed},
		{"another key seals everything anew", testReseal},
		{"what is held of people is erased", testErase},
		{"a person is erased", testErasePerson},
		{"a person is erased from old lists and mails", testErasedFromLists},
		{"cells do not open elsewhere", testSwapped},
		{"scope holds on every method", testScope},
		{"scopes of many subtrees", testManyPaths},
		{"where a unit stands", testStanding},
		{"what is said of a unit", testDeclared},
		{"where a unit stands after a race", testStandingRaced},
		{"a recount", testRecount},
		{"campaigns and reports", testCatalog},
		{"a report is opened once", testOpenRaced},
		{"units", testUnits},
		{"units named by rows", testUnitOf},
		{"what the register knows of units", testKnownUnits},
		{"units searched for", testSearchUnits},
		{"codes without their zeros", testPaddedCodes},
		{"notices", testNotices},
		{"a notice from draft to withdrawal", testNoticeLife},
		{"whom a notice is for", testNoticeScope},
		{"who read a notice", testReceiptsOfNotice},
		{"questions and answers", testQuestions},
		{"many questions", testManyQuestions},
		{"mails kept, judged and answered once", testMail},
		{"mails that officers see", testMailOfficers},
		{"a code binds a sender once", testMailCode},
		{"the map of a province", testRegionMap},
		{"lists, comparisons and decisions", testComparison},
		{"what stands beside a report", testBeside},
		{"what stands in several units", testDoubles},
		{"forms never change", testForms},
		{"users", testUsers},
		{"the first administrator", testFirstAdmin},
		{"offices and grants in time", testOffices},
		{"offices stay apart", testOfficesApart},
		{"altered rights", testRightsAltered},
		{"credentials", testCredentials},
		{"altered credentials", testCredentialsAltered},
		{"ceremonies", testCeremonies},
		{"service tokens", testServiceTokens},
		{"news of what is saved and reported", testNews},
		{"a plan of accounts", testPlatformPlan},
		{"a plan of accounts cut off anywhere", testPlatformKilled},
		{"codes that show whose phones are", testPhoneCodes},
		{"rights sealed once", testRightsSealedOnce},
		{"lent grants", testLent},
		{"sessions", testSessions},
		{"what was done is on the trail", testTrail},
		{"the trail is whole after a race", testTrailRaced},
		{"the trail shows what was bent", testTrailMutations},
		{"checkpoints of the trail", testTrailCheckpoints},
		{"records go into an archive", testTrailArchive},
		{"a full disk", testDiskFull},
		{"the purpose notice", testPurpose},
		{"failures", testFailures},
		{"the set-up link", testSetup},
		{"odd text", testOddText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.fn(newWorld(t, open(t))) })
	}
}
