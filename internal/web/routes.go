package web

import (
	"net/http"
	"slices"
	"strings"

	"tianbao"
)

// route is one line of the table below: everything that is reachable.
type route struct {
	Method  string
	Path    string // pattern of net/http's ServeMux
	Rule    rule
	Handle  handler
	ID      string // operation id of the OpenAPI document
	Summary string
	In      any   // zero value of the request body, nil for none
	Out     any   // zero value of the JSON answer; nil: no JSON face (a file, a redirect)
	Upload  bool  // the body is multipart with a file
	Body    int64 // limit of the body in bytes, 0: 1 MiB
}

func (rt route) maxBody() int64 {
	if rt.Body > 0 {
		return rt.Body
	}
	return 1 << 20
}

// Limits of bodies. A change set of 200 000 cells takes some 20 MiB of JSON; a
// workbook may have 20 MiB, beside which the unsaved changes travel.
const (
	maxChangeBody = 32 << 20
	maxFile       = 20 << 20
	maxUpload     = maxFile + maxChangeBody
)

// table lists every route of the site.
func (s *Server) table() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return slices.Concat(s.messageTable(), s.compareRoutes(), s.mailTable(), s.reviewRoutes(), s.tokenRoutes(), s.platformRoutes(), s.phoneRoutes(), s.livingRoutes(), s.scimRoutes(), s.webhookRoutes(), s.feedRoutes(), []route{
		// Anybody.
		{get, "/healthz", everyone, s.healthz, "health", "Whether the server and its database answer", nil, wireHealth{}, false, 0},
		{get, "/readyz", everyone, s.readyz, "ready", "Whether people should be sent here: 503 while the server stops, or a check fails", nil, wireReady{}, false, 0},
		{get, "/openapi.json", everyone, s.openAPI, "openapi", "This document", nil, nil, false, 0},
		{get, "/ui/{file}", everyone, s.uiFile, "uiFile", "A style sheet or script of the pages", nil, nil, false, 0},
		{get, "/signin", everyone, s.signinPage, "signinPage", "The sign-in page", nil, nil, false, 0},
		{post, "/signin", everyone, s.signin, "signIn", "Sign in; sets the session cookie", wireSignin{}, wireSession{}, false, 0},
		{get, "/setup/{token}", everyone, s.setupPage, "setupPage", "The page of the one-time set-up link", nil, nil, false, 0},
		{post, "/language", everyone, s.setLanguage, "setLanguage", "Choose the language of the pages; sets a cookie", wireLanguage{}, wireDone{}, false, 0},
		{post, "/setup/{token}", everyone, s.setup, "setUp", "Create the first holder of the link's office", wireSetup{}, wireDone{}, false, 0},
		{post, "/signin/passkey/options", everyone, s.signinOptions, "signInOptions", "What the browser asks of a passkey to sign in; sets a cookie", wireEmpty{}, wireCeremony{}, false, 4 << 10},
		{post, "/signin/passkey", everyone, s.signinPasskey, "signInPasskey", "Sign in by a passkey alone; sets the session cookie", wireAssertion{}, wireSession{}, false, 64 << 10},
		{get, "/signin/oidc", everyone, s.platformSignIn, "platformSignIn", "Go to the platform's own sign-in; sets a cookie", nil, nil, false, 0},
		{get, "/signin/oidc/return", everyone, s.platformReturn, "platformReturn", "Come back from there; sets the session cookie", nil, nil, false, 0},
		{get, "/signin/oidc/signout", everyone, s.platformSignOut, "platformSignOut", "Go to where one signs out at the platform", nil, nil, false, 0},
		{get, "/activate", everyone, s.activatePage, "activatePage", "The page where an activation code is used", nil, nil, false, 0},
		{post, "/activate", everyone, s.activate, "activate", "Use an activation code: for a new account, or for a new password; without a password tells what the code is for", wireActivate{}, wireActivation{}, false, 0},

		// Everybody who is signed in.
		{get, "/{$}", signedIn, s.home, "home", "The portal's home page", nil, wireHome{}, false, 0},
		{get, "/session", leaving, s.session, "session", "Who is signed in, and the token for unsafe requests", nil, wireSession{}, false, 0},
		{post, "/session/journal-key", signedIn, s.journalKey, "journalKey", "The key that seals the browser's journal of unsubmitted changes; the same for one person and salt", wireSalt{}, wireJournalKey{}, false, 0},
		{post, "/signout", leaving, s.signout, "signOut", "End the session", nil, wireDone{}, false, 0},
		{get, "/password", renewing, s.passwordPage, "passwordPage", "The page to change the own password", nil, nil, false, 0},
		{post, "/password", renewing, s.password, "changePassword", "Change the own password; ends all sessions of the account", wirePassword{}, wireDone{}, false, 0},
		{get, "/account/sessions", signedIn, s.ownSessions, "ownSessions", "The own sessions", nil, wireSessions{}, false, 0},
		{post, "/account/sessions/end", signedIn, s.endOwnSession, "endOwnSession", "End one of the own sessions, or all but this one", wireEndSession{}, wireDone{}, false, 0},
		{get, "/account/factor", settingUp, s.factor, "factor", "The own second factor", nil, wireFactor{}, false, 0},
		{post, "/account/factor", settingUp, s.startFactor, "startFactor", "Begin to set up a second factor", wireEmpty{}, wireFactor{}, false, 0},
		{post, "/account/factor/confirm", settingUp, s.confirmFactor, "confirmFactor", "End setting it up with a first code; answers the recovery codes once, and renews the session", wireCode{}, wireRecovery{}, false, 0},
		{post, "/account/factor/codes", signedIn, s.newRecovery, "newRecovery", "Replace the recovery codes; asks for the second factor", wireEmpty{}, wireRecovery{}, false, 0},
		{post, "/account/factor/remove", signedIn, s.dropFactor, "removeFactor", "Remove the own second factor; asks for it", wireEmpty{}, wireDone{}, false, 0},
		{get, "/account/verify", verifying, s.verifyFactorPage, "verifyPage", "The page that asks for the second factor", nil, nil, false, 0},
		{post, "/account/verify", verifying, s.verifyFactor, "verifyFactor", "Show the second factor; renews the session and counts for ten minutes", wireCode{}, wireSession{}, false, 0},
		{post, "/account/verify/options", verifying, s.verifyOptions, "verifyOptions", "What the browser asks of a passkey as second factor", wireEmpty{}, wireCeremony{}, false, 4 << 10},
		{post, "/account/verify/passkey", verifying, s.verifyPasskey, "verifyPasskey", "Show a passkey as second factor; renews the session as verifyFactor does", wireAssertion{}, wireSession{}, false, 64 << 10},
		{post, "/account/verify/certificate", verifying, s.verifyCertificate, "verifyCertificate", "Show the certificate of the USB key as second factor, by the gateway; renews the session", wireNext{}, wireSession{}, false, 4 << 10},
		{get, "/account/keys", settingUp, s.keys, "keys", "The own passkeys, certificates and accounts at the platform", nil, wireKeys{}, false, 0},
		{post, "/account/keys/{key}/name", signedIn, s.renameKey, "renameKey", "Give one of them another name", wireKeyName{}, wireDone{}, false, 4 << 10},
		{post, "/account/keys/{key}/remove", signedIn, s.removeKey, "removeKey", "Remove one of them; asks for the second factor", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/account/passkeys/options", settingUp, s.passkeyOptions, "passkeyOptions", "What the browser asks of a new passkey", wireEmpty{}, wireCeremony{}, false, 4 << 10},
		{post, "/account/passkeys", settingUp, s.addPasskey, "addPasskey", "Add a passkey; renews the session, and answers recovery codes once where it is the first second factor", wirePasskey{}, wireRecovery{}, false, 64 << 10},
		{post, "/account/certificate", signedIn, s.bindCertificate, "bindCertificate", "Bind the certificate that the gateway shows; asks for the second factor", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/account/platform", signedIn, s.bindPlatform, "bindPlatform", "Begin to bind the own account at the platform; answers where the browser goes", wireEmpty{}, wireGo{}, false, 4 << 10},
		{get, "/help", signedIn, s.helpPage, "help", "The user's manual", nil, nil, false, 0},
		{get, "/help/bureau", signedIn, s.bureauHelp, "bureauHelp", "The manual of the finance bureaus", nil, nil, false, 0},
		{get, "/help/img/{file}", signedIn, s.helpImage, "helpImage", "A picture of the manual", nil, nil, false, 0},
		{get, "/forms/{form}/{version}", signedIn, s.formSchema, "formSchema", "The Table Schema of a form at a version", nil, nil, false, 0},
		{get, "/forms/{form}/{version}/rules", signedIn, s.formRules, "formRules", "The rules of a form as data, by which the page checks while a clerk types", nil, nil, false, 0},

		// The purpose notice.
		{get, "/purpose", signedIn, s.purpose, "purpose", "告知书: the newest version of the purpose notice, and what the caller said yes to", nil, wirePurpose{}, false, 0},
		{post, "/purpose/agreement", signedIn, s.agree, "agreeToPurpose", "Say yes to the newest version; before that whoever fills in reads and writes no sheet", wireAgree{}, wireDone{}, false, 4 << 10},
		{get, "/purpose/versions", needing(tianbao.PowerCampaign), s.purposes, "purposes", "All versions of the purpose notice, with how many said yes", nil, wirePurposes{}, false, 0},
		{post, "/purpose/versions", needing(tianbao.PowerCampaign), s.publishPurpose, "publishPurpose", "Publish a version of the purpose notice; everybody who fills in is asked anew", wirePurposeText{}, wireDone{}, false, 256 << 10},

		// Retention.
		{get, "/erasure", needing(tianbao.PowerCampaign), s.erasure, "erasure", "For how long collections are kept, and what an erasure would count", nil, wireRetentions{}, false, 0},
		{post, "/erasure/retention", needing(tianbao.PowerCampaign), s.setRetention, "setRetention", "Set for how many months after its end a collection is kept; 0: as the operator's setting says", wireRetention{}, wireDone{}, false, 4 << 10},
		{post, "/erasure/person", needing(tianbao.PowerCampaign), s.erasePerson, "erasePerson", "Erase a person from collections whose time is over; without confirm it only counts", wireErasePerson{}, wirePersonErased{}, false, 4 << 10},

		// Fillers: 报表管理.
		{get, "/reports", fillers, s.reports, "reports", "The reports of a campaign in the viewer's scope", nil, wireReports{}, false, 0},
		{post, "/units/search", fillers, s.searchUnits, "searchUnits", "The units in the viewer's scope whose code, name or pinyin initials hold a text, the best first", wireUnitQuery{}, wireUnits{}, false, 4 << 10},
		{post, "/campaigns/{campaign}/reports", fillers, s.openReport, "openReport", "Open a unit's report in a campaign, made if there is none", wireOpen{}, wireReport{}, false, 0},
		{get, "/campaigns/{campaign}/template", fillers, s.template, "template", "The blank workbook of a campaign's form", nil, nil, false, 0},
		{get, "/reports/{report}/newer", watchReport, s.newer, "newer", "What was saved after the version ?since=", nil, wireNewer{}, false, 0},
		{get, "/reports/{report}/events", watchReport, s.events, "events", "Server-sent events: version when somebody saved, people when somebody opens or leaves the sheet, end with the session", nil, nil, false, 0},
		{get, "/reports/{report}/draft", ownReport, s.draft, "draft", "The caller's own unsubmitted changes; ?name= asks whether a draft of that name was saved", nil, wireDraftState{}, false, 0},
		{put, "/reports/{report}/draft", ownReport, s.putDraft, "putDraft", "Keep unsubmitted changes, in place of the caller's earlier ones", wireDraft{}, wireDone{}, false, maxChangeBody},
		{del, "/reports/{report}/draft", ownReport, s.dropDraft, "dropDraft", "Forget the caller's unsubmitted changes", nil, wireDone{}, false, 0},
		{get, "/campaigns/{campaign}/sheet", fillers, s.acrossSheet, "acrossSheet", "The city view: which reports of a campaign in the viewer's scope, or below ?unit=, have how many rows", nil, wireAcross{}, false, 0},
		{get, "/campaigns/{campaign}/rows", fillers, s.acrossRows, "acrossRows", "Rows ?from=&count= of the city view, counted from the first row of ?report= or of all; ids and phones are masked", nil, wireParts{}, false, 0},
		{get, "/campaigns/{campaign}/export", fillers, s.acrossExportForm, "acrossExportForm", "The page to take the city view, or what of it lies below ?unit=, away as a file", nil, nil, false, 0},
		{post, "/campaigns/{campaign}/export", fillers, s.exportAcross, "exportAcross", "The city view as a workbook or CSV, ids and phones masked; whole with the power, a reason and the second factor", wireAcrossExport{}, nil, false, 4 << 10},
		{get, "/reports/{report}", ownReport, s.report, "report", "A report with its rows: all, with ?rows=none none, with ?rows=auto the first of a long one", nil, wireSheet{}, false, 0},
		{get, "/reports/{report}/rows", ownReport, s.window, "window", "Rows ?from=&count= of a report, or behind the row ?after=; refused when ?version= is not the report's", nil, wireWindow{}, false, 0},
		{get, "/reports/{report}/filled", ownReport, s.filled, "filled", "代填: the rows of the report's units that stand in reports of those above", nil, wireFilled{}, false, 0},
		{post, "/reports/{report}/filled", ownReport, s.correct, "correctFilled", "Correct or delete such rows: a change set for the report they stand in", wireCorrect{}, wireCorrected{}, false, 0},
		{post, "/reports/{report}/check", ownReport, s.check, "check", "数据校验: the problems the sheet would have with these changes; writes nothing", wireChanges{}, wireProblems{}, false, maxChangeBody},
		{post, "/reports/{report}/changes", ownReport, s.save, "save", "提交: save a change set whole, also with faults", wireChanges{}, wireSaved{}, false, maxChangeBody},
		{post, "/reports/{report}/submission", ownReport, s.submit, "submit", "上报: report upward; refused while a blocking problem remains", wireSubmit{}, wireReceipt{}, false, 0},
		{post, "/reports/{report}/imports", ownReport, s.importFile, "import", "导入EXCEL: preview a workbook, or save or submit it at once", wireImport{}, wirePlan{}, true, maxUpload},
		{get, "/reports/{report}/jobs/{job}", ownReport, s.job, "job", "How far a background import has come", nil, wireJob{}, false, 0},
		{post, "/reports/{report}/jobs/{job}/cancel", ownReport, s.cancelJob, "cancelJob", "Stop a background import; what is not saved yet is not saved", wireEmpty{}, wireJob{}, false, 0},
		{get, "/reports/{report}/export", ownReport, s.export, "export", "原样导出: the stored sheet as a workbook", nil, nil, false, 0},
		{post, "/reports/{report}/export", ownReport, s.exportScreen, "exportScreen", "原样导出: the sheet with these unsaved changes as a workbook; with a reason where others fill it in", wireExport{}, nil, false, maxChangeBody},
		{get, "/reports/{report}/history", ownReport, s.history, "history", "Who changed which cell when, newest first", nil, wireHistory{}, false, 0},
		{get, "/reports/{report}/history/{version}/undo", ownReport, s.undoPlan, "undoPlan", "What taking back one saved version would do; changes nothing", nil, wireUndo{}, false, 0},
		{post, "/reports/{report}/history/{version}/undo", ownReport, s.undo, "undo", "Take back one saved version, an import as well, as one step", wireSubmit{}, wireSaved{}, false, 0},
		{get, "/reports/{report}/receipts", ownReport, s.receipts, "receipts", "The newest receipts of the report", nil, wireReceipts{}, false, 0},
		{get, "/reports/{report}/receipts/{receipt}", ownReport, s.receipt, "receipt", "One receipt, printable", nil, wireReceipt{}, false, 0},
		{get, "/reports/{report}/rows/{row}/reveal", revealReport, s.revealForm, "revealForm", "The page that asks why a row is to be seen whole", nil, nil, false, 0},
		{post, "/reports/{report}/rows/{row}/reveal", revealReport, s.reveal, "reveal", "The full values of one row, once; the reason is recorded, and 429 tells when the next may be asked for", wireReveal{}, wireRevealed{}, false, 4 << 10},

		// The register of units.
		{get, "/units", needing(tianbao.PowerSee), s.units, "units", "The register: the tops of the viewer's scope, or the units right below ?in=, with ?day= as they were", nil, wireTree{}, false, 0},
		{post, "/units/find", needing(tianbao.PowerSee), s.findUnits, "findUnits", "Units of the register whose code, name or pinyin initials hold a text", wireUnitQuery{}, wireTree{}, false, 4 << 10},
		{get, "/units/template", needing(tianbao.PowerRegister), s.unitTemplate, "unitTemplate", "The blank workbook of the register", nil, nil, false, 0},
		{post, "/units/export", needing(tianbao.PowerRegister), s.exportUnits, "exportUnits", "The register as a workbook, to be corrected and imported; without contacts", wireEmpty{}, nil, false, 0},
		{get, "/units/import", needing(tianbao.PowerRegister), s.loadForm, "loadForm", "The page to import a workbook of the register", nil, nil, false, 0},
		{post, "/units/import", needing(tianbao.PowerRegister), s.loadUnits, "loadUnits", "Preview a workbook of the register; writes nothing", wireUnitFile{}, wireLoad{}, true, maxUpload},
		{get, "/units/import/{load}", needing(tianbao.PowerRegister), s.load, "load", "How far a workbook of the register has come, and its preview", nil, wireLoad{}, false, 0},
		{post, "/units/import/{load}/apply", needing(tianbao.PowerRegister), s.applyLoad, "applyLoad", "Carry a preview out, whole or not at all", wireEmpty{}, wireLoad{}, false, 0},
		{post, "/units/import/{load}/annotated", needing(tianbao.PowerRegister), s.annotateLoad, "annotateLoad", "The workbook with its faults in their cells", wireEmpty{}, nil, false, 0},
		{get, "/units/{unit}", unitIn(tianbao.PowerSee), s.unit, "unit", "The entry of a unit with its aliases and history", nil, wireUnitEntry{}, false, 0},
		{post, "/units/{unit}/changes", unitIn(tianbao.PowerRegister), s.changeUnit, "changeUnit", "Change, move, merge, split or close a unit, or found one below it, from a day on", wireUnitAct{}, wireChanged{}, false, 0},
		{post, "/units/{unit}/requests", unitIn(tianbao.PowerFill), s.ask, "ask", "Ask the bureau to correct one field of the own entry", wireAsk{}, wireMade{}, false, 0},
		{get, "/requests", askers, s.requests, "requests", "Requests to correct the register: the own ones, and those to be decided; query: state, before", nil, wireRequests{}, false, 0},
		{post, "/requests/{request}", needing(tianbao.PowerRegister), s.decideRequest, "decideRequest", "Accept or refuse a request; accepting changes the register", wireDecision{}, wireDone{}, false, 0},
		{get, "/regions", needing(tianbao.PowerRegister), s.regionsOf, "regions", "The regions with the number of units of ?day=", nil, wireRegions{}, false, 0},
		{get, "/regions/map", needing(tianbao.PowerRegister), s.regionMap, "regionMap", "The map of the caller's province, where it brought one; for the province", nil, wireRegionMap{}, false, 0},
		{post, "/regions/map", needing(tianbao.PowerRegister), s.putRegionMap, "putRegionMap", "Bring a map: GeoJSON with six-digit codes, and the number of its approval; for the province", wireMapFile{}, wireDone{}, true, maxMap + 64<<10},
		{post, "/regions/map/remove", needing(tianbao.PowerRegister), s.dropRegionMap, "dropRegionMap", "Take the map away; for the province", wireEmpty{}, wireDone{}, false, 0},
		{post, "/regions/{region}", needing(tianbao.PowerRegister), s.setRegion, "setRegion", "Set the fiscal code of a region and whether it takes part; for the province", wireSetRegion{}, wireDone{}, false, 0},

		// Collections: who runs them, and who locks and reopens units below.
		{get, "/collections", needing(tianbao.PowerLock), s.collections, "collections", "The collections that the caller runs, and those in which the caller may lock and reopen units", nil, wireCollections{}, false, 0},
		{post, "/collections", needing(tianbao.PowerCampaign), s.makeCollection, "makeCollection", "Make a collection, to be prepared", wireSetCollection{}, wireMade{}, false, 0},
		{get, "/collections/{campaign}", needing(tianbao.PowerLock), s.collection, "collection", "A collection with its rules", nil, wireCollection{}, false, 0},
		{post, "/collections/{campaign}", needing(tianbao.PowerCampaign), s.editCollection, "editCollection", "Change title, form, notice and window of a collection", wireSetCollection{}, wireMade{}, false, 0},
		{post, "/collections/{campaign}/copy", needing(tianbao.PowerCampaign), s.copyCollection, "copyCollection", "Make a new collection from one: form, scope and windows, some years later", wireEmpty{}, wireMade{}, false, 0},
		{post, "/collections/{campaign}/phase", needing(tianbao.PowerCampaign), s.setPhase, "setPhase", "Open a collection, end it, archive it", wirePhase{}, wireMade{}, false, 0},
		{post, "/collections/{campaign}/rules", needing(tianbao.PowerLock), s.addRule, "addRule", "Set a window or who takes part, lock units or reopen them, for the subtree of a unit or for a region", wireAddRule{}, wireMade{}, false, 0},
		{post, "/collections/{campaign}/rules/{rule}/end", needing(tianbao.PowerLock), s.endRule, "endRule", "Take a rule back", wireEmpty{}, wireMade{}, false, 0},
		{get, "/collections/{campaign}/rehearsal", needing(tianbao.PowerCampaign), s.rehearse, "rehearse", "How many units are expected, and which lack an account, a contact or a code", nil, wireRehearsal{}, false, 0},

		// 表样管理: forms of collections; for the province.
		{get, "/form-definitions", needing(tianbao.PowerCampaign), s.formBook, "formBook", "The forms of collections with their versions, and the drafts of new ones", nil, wireForms{}, false, 0},
		{post, "/form-definitions", needing(tianbao.PowerCampaign), s.loadDraft, "loadFormDraft", "Make a draft of a definition file; answers everything that is wrong with it instead", wireFormFile{}, wireMade{}, true, 2 << 20},
		{post, "/form-drafts", needing(tianbao.PowerCampaign), s.beginDraft, "beginFormDraft", "Make a draft from a published version, or of a new form", wireBeginDraft{}, wireMade{}, false, 4 << 10},
		{get, "/form-definitions/{form}/{version}", needing(tianbao.PowerCampaign), s.formView, "formView", "A published version in words, and in what it differs from ?with= or the version before", nil, wireFormView{}, false, 0},
		{get, "/form-drafts/{draft}", needing(tianbao.PowerCampaign), s.formDraft, "formDraft", "A draft with its definition and faults", nil, wireFormDraft{}, false, 0},
		{post, "/form-drafts/{draft}", needing(tianbao.PowerCampaign), s.setDraft, "setFormDraft", "Save a draft, also with faults; version is the one that it was made on", wireSetDraft{}, wireFormDraft{}, false, 4 << 20},
		{get, "/form-drafts/{draft}/preview", needing(tianbao.PowerCampaign), s.draftPreview, "previewFormDraft", "A draft in words, and in what it differs from the version it follows", nil, wireFormView{}, false, 0},
		{get, "/form-drafts/{draft}/template", needing(tianbao.PowerCampaign), s.draftTemplate, "formDraftTemplate", "The blank workbook of a draft", nil, nil, false, 0},
		{post, "/form-drafts/{draft}/publish", needing(tianbao.PowerCampaign), s.publishForm, "publishForm", "Make a draft the next version of its form, which never changes; collections made from then on may use it", wireOfDraft{}, wireFormPublished{}, false, 4 << 10},
		{post, "/form-drafts/{draft}/drop", needing(tianbao.PowerCampaign), s.dropFormDraft, "dropFormDraft", "Forget a draft", wireOfDraft{}, wireDone{}, false, 4 << 10},

		// How far a collection has come, and the papers about it.
		{get, "/collections/{campaign}/progress", viewers, s.progress, "progress", "The figures of a collection in the caller's scope, or below ?unit=; of now with trend and forecast, or as of the end of ?day=", nil, wireProgress{}, false, 0},
		{get, "/collections/{campaign}/progress/events", viewers.quietly(), s.progressEvents, "progressEvents", "Server-sent events while the page is open: progress with the figures whenever they change, at most one a second", nil, nil, false, 0},
		{get, "/collections/{campaign}/progress/units", viewers, s.standings, "standings", "The units below ?unit= with where they stand and their masked contacts; query: state (undone, or one), region, own, day, after", nil, wireStandings{}, false, 0},
		{get, "/collections/{campaign}/progress/export", viewers, s.exportProgress, "exportProgress", "These units as a workbook, without contacts", nil, nil, false, 0},
		{get, "/collections/{campaign}/progress/units/{unit}", unitIn(tianbao.PowerSee), s.course, "course", "One unit: where it stands, its masked contact, and how it came there", nil, wireUnitCourse{}, false, 0},
		{get, "/collections/{campaign}/progress/units/{unit}/contact", unitIn(tianbao.PowerReveal), s.contactForm, "contactForm", "The page that asks why the contact of a unit is wanted whole", nil, nil, false, 0},
		{post, "/collections/{campaign}/progress/units/{unit}/contact", unitIn(tianbao.PowerReveal), s.revealContact, "revealContact", "See the contact of a unit whole, with a reason, once", wireReveal{}, wireContact{}, false, 4 << 10},
		{get, "/collections/{campaign}/certificates", viewers, s.certificates, "certificates", "The certificates of completeness about units in the caller's scope, newest first", nil, wireCertificates{}, false, 0},
		{post, "/collections/{campaign}/certificates", needing(tianbao.PowerLock), s.certify, "certify", "Take down where the expected units below a unit stand now; it certifies completeness only if none is missing", wireCertify{}, wireMade{}, false, 4 << 10},
		{get, "/certificates/{certificate}", viewers, s.attest, "certificate", "One certificate with its list", nil, wireCertificate{}, false, 0},
		{get, "/certificates/{certificate}/list", viewers, s.certificateText, "certificateText", "The text of which a certificate's digest is the SM3", nil, nil, false, 0},
		{get, "/certificates/{certificate}/pdf", viewers, s.certificatePDF, "certificatePDF", "A certificate as PDF; the same bytes each time", nil, nil, false, 0},
		{get, "/certificates/{certificate}/workbook", viewers, s.certificateBook, "certificateWorkbook", "A certificate as workbook; the same bytes each time", nil, nil, false, 0},

		// 催报.
		{get, "/collections/{campaign}/reminders", needing(tianbao.PowerLock), s.reminding, "reminding", "How a collection is reminded of, and what went out", nil, wireReminding{}, false, 0},
		{post, "/collections/{campaign}/reminders", needing(tianbao.PowerCampaign), s.setReminding, "setReminding", "Change it: from when, how often, at which hours and on which days, by which channels, with which text", wireRemindPolicy{}, wireDone{}, false, 64 << 10},
		{get, "/collections/{campaign}/reminders/preview", needing(tianbao.PowerLock), s.previewReminders, "previewReminders", "Whom a round by hand would remind now, in the caller's part of the register, with phones masked", nil, wireRemindPreview{}, false, 0},
		{post, "/collections/{campaign}/reminders/send", needing(tianbao.PowerLock), s.sendReminders, "sendReminders", "Remind whoever the preview names", wireEmpty{}, wireReminded{}, false, 4 << 10},
		{post, "/collections/{campaign}/reminders/stop", needing(tianbao.PowerLock), s.stopReminders, "stopReminders", "Drop what waits to go out; for who runs the collection no round starts by itself any more", wireEmpty{}, wireReminded{}, false, 4 << 10},
		{get, "/collections/{campaign}/reminders/log", needing(tianbao.PowerLock), s.remindLog, "remindLog", "What became of reminders; query: state, channel, q, before", nil, wireReminders{}, false, 0},
		{post, "/reminders/{reminder}/read", fillers, s.readReminder, "readReminder", "Note that the caller's unit has read a reminder", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/units/{unit}/mail", unitIn(tianbao.PowerFill), s.setUnitMail, "setUnitMail", "Set where a unit gets reminders by mail", wireUnitMail{}, wireDone{}, false, 4 << 10},

		// Who gives out activation codes.
		{get, "/activation", people, s.activation, "activation", "The units in the viewer's scope with their fillers; query: q, offset", nil, wirePeople{}, false, 0},
		{post, "/activation", people, s.issueCodes, "issueCodes", "Make an activation code for a unit, or for all units below it without an account; answers them once", wireIssue{}, wireSlips{}, false, 0},
		{post, "/activation/{user}", people, s.reissue, "issuePasswordCode", "Make a code by which a filler in the viewer's scope sets a new password; answers it once", wireEmpty{}, wireSlips{}, false, 0},

		{get, "/activation/batch", people, s.batchStart, "batchStart", "The page to create accounts from a workbook", nil, nil, false, 0},
		{get, "/activation/batch/template", people, s.batchTemplate, "batchTemplate", "The blank workbook of accounts", nil, nil, false, 0},
		{post, "/activation/batch", people, s.loadBatch, "loadBatch", "Preview a workbook of accounts; writes nothing", wireBatchFile{}, wireBatch{}, true, maxUpload},
		{get, "/activation/batch/{load}", people, s.batch, "batch", "How far a workbook of accounts has come, and its preview", nil, wireBatch{}, false, 0},
		{post, "/activation/batch/{load}/accounts", people, s.createBatch, "createBatch", "Create the accounts of a preview, all or none; answers their activation codes, also when sent again", wireEmpty{}, wireSlips{}, false, 0},
		{post, "/activation/batch/{load}/annotated", people, s.annotateBatch, "annotateBatch", "The workbook of accounts with its faults in their cells", wireEmpty{}, nil, false, 0},

		// The auditor.
		{get, "/audit", auditors, s.trail, "trail", "The audit trail, newest first; query: from, to, what, result, before", nil, wireTrail{}, false, 0},
		{post, "/audit/verification", auditors, s.verifyTrail, "verifyTrail", "Verify the whole audit trail", wireEmpty{}, wireVerified{}, false, 0},
		{post, "/audit/export", auditors, s.exportTrail, "exportTrail", "The whole audit trail as lines of JSON, signed", wireEmpty{}, nil, false, 0},

		// Who lends an own role to a colleague.
		{get, "/lending", viewers, s.lending, "lending", "The caller's roles, with whom they may be lent to, and what is lent", nil, wireLending{}, false, 0},
		{post, "/lending", viewers, s.lend, "lend", "Lend an own role, or the part below a unit, to a colleague until a day", wireLend{}, wireGrant{}, false, 0},
		{post, "/lending/{grant}/end", viewers, s.recall, "recall", "End what the caller lent", wireEmpty{}, wireDone{}, false, 0},

		// The security administrator.
		{get, "/grants", grantors, s.grants, "grants", "Who may do what, newest first; query: user, unit (id or code), ended, before", nil, wireGrants{}, false, 0},
		{post, "/grants/search", grantors, s.searchAccounts, "searchAccounts", "Accounts by login or part of the name", wireAccountQuery{}, wireGrants{}, false, 4 << 10},
		{post, "/grants", grantors, s.grantAdd, "giveGrant", "Give an account a role over a unit and what lies below it", wireGrantAdd{}, wireGrant{}, false, 0},
		{post, "/grants/{grant}/end", grantors, s.grantEnd, "endGrant", "Take a role back, and what was lent from it", wireEmpty{}, wireDone{}, false, 0},
		{post, "/offices/{user}", grantors, s.appoint, "appoint", "Agree to the office that the system administrator asked for an account, or refuse it", wireAppoint{}, wireDone{}, false, 0},

		// Administrators.
		{get, "/users", accountants, s.users, "users", "The accounts", nil, wireUsers{}, false, 0},
		{post, "/users", accountants, s.userAdd, "addUser", "Create an account without rights, or with an office to be agreed to; answers its first password once", wireUserAdd{}, wireNewPassword{}, false, 0},
		{post, "/users/{user}/password", accountants, s.userPassword, "resetPassword", "Give an account a new password; answers it once", wireEmpty{}, wireNewPassword{}, false, 0},
		{post, "/users/{user}/disabled", accountants, s.userDisable, "disableUser", "Disable or enable an account", wireDisable{}, wireDone{}, false, 0},
		{get, "/users/{user}/sessions", accountants, s.userSessions, "userSessions", "The sessions of an account", nil, wireSessions{}, false, 0},
		{post, "/users/{user}/sessions/end", accountants, s.endUserSession, "endUserSession", "End one session of an account, or all", wireEndSession{}, wireDone{}, false, 0},
		{post, "/users/{user}/keys", accountants, s.bindUserKey, "bindUserKey", "Bind an account at the platform, or a certificate, to an account", wireBind{}, wireDone{}, false, 4 << 10},
		{post, "/users/{user}/keys/{key}/remove", accountants, s.removeUserKey, "removeUserKey", "Remove a passkey, a certificate or an account at the platform from an account", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/users/{user}/factor/remove", accountants, s.dropUserFactor, "removeUserFactor", "Remove the second factor of an account whose owner has lost it", wireEmpty{}, wireDone{}, false, 0},
	})
}

// hasParam reports whether a pattern has the path parameter.
func hasParam(path, name string) bool {
	return strings.Contains(path, "{"+name+"}") || strings.Contains(path, "{"+name+"...}")
}

// fallback answers what no route matches with 404, also where only the method is
// another: a page of the site, not ServeMux's plain text.
func (s *Server) fallback() http.Handler {
	return s.serve(route{
		Method: "", Path: "/", Rule: everyone, ID: "fallback", Summary: "Nothing here",
		Handle: func(http.ResponseWriter, *http.Request, *viewer) error { return tianbao.NotFound() },
	})
}
