package web

import (
	"html/template"
	"net/http"
	"strings"
	"testing"

	"github.com/jba/templatecheck"
)

// Every page is checked against the type of its data: a field that a template
// misspells fails here and not in front of a clerk.
func TestTemplatesFitTheirData(t *testing.T) {
	data := map[string]any{
		"signin.html": &signinPageData{}, "setup.html": &setupPageData{}, "password.html": &passwordPageData{}, "reveal.html": &revealPage{}, "export.html": &exportPage{}, "purpose.html": &purposePage{}, "purposes.html": &purposesPage{}, "erasure.html": &erasurePage{}, "home.html": &homePage{},
		"reports.html": &reportsPage{}, "sheet.html": &sheetPage{}, "history.html": &historyPage{}, "undo.html": &undoPage{}, "receipt.html": &receiptPage{},
		"receipts.html": &receiptsPage{}, "notices.html": &noticesPage{}, "notice.html": &noticePage{}, "help.html": &helpText{},
		"plan.html": &planPage{}, "across.html": &acrossPage{}, "acrossexport.html": &acrossExportPage{}, "audit.html": &auditPage{}, "users.html": &usersPage{}, "units.html": &unitsPage{}, "unit.html": &unitPage{}, "unitload.html": &loadPage{}, "requests.html": &requestsPage{}, "compare.html": &comparePage{}, "compareline.html": &linePage{}, "comparewait.html": &compareWait{}, "comparelists.html": &listsPage{}, "compareunits.html": &strangePage{}, "comparedoubles.html": &doublesPage{}, "regions.html": &regionsPage{}, "regionmap.html": &regionMapPage{}, "collections.html": &collectionsPage{}, "collection.html": &collectionPage{}, "rehearsal.html": &rehearsalPage{}, "remind.html": &remindPage{}, "remindpreview.html": &remindPreviewPage{}, "remindlog.html": &remindLogPage{}, "forms.html": &formsPage{}, "form.html": &formPage{}, "formdraft.html": &formEditor{}, "grants.html": &grantsPage{}, "tokens.html": &tokensPage{}, "newtoken.html": &newTokenPage{}, "platform.html": &platformPage{}, "accountplan.html": &accountPlanPage{}, "phonework.html": wirePhoneWork{}, "phones.html": &phonesPage{}, "planexport.html": &planExportPage{}, "platformdrift.html": &driftPage{}, "webhooks.html": &webhooksPage{}, "webhook.html": &webhookPage{}, "newwebhook.html": &newWebhookPage{}, "lending.html": &lendingPage{}, "newpassword.html": &newPasswordPage{}, "filled.html": &filledPage{}, "error.html": &errorPage{},
		"sessions.html": &sessionsPage{}, "factor.html": &factorPage{}, "recovery.html": &recoveryPage{}, "verify.html": &verifyPage{},
		"activation.html": &activationPage{}, "batch.html": &batchPage{}, "slips.html": []slip{}, "activate.html": &activatePageData{},
		"keys.html":      &keysPage{},
		"registers.html": &registersPage{}, "register.html": &registerChangesPage{}, "roster.html": &rosterPage{}, "life.html": &lifePage{}, "confirm.html": &askedPage{},
		"reviews.html": &reviewsPage{}, "review.html": &reviewListPage{}, "reviewunit.html": &reviewUnitPage{}, "reasons.html": &reasonsPage{}, "declaration.html": &declarationPage{}, "declarations.html": &declarationsPage{},
		"noticeedit.html": &noticeEditPage{}, "noticeversions.html": &noticeVersionsPage{}, "noticereaders.html": &noticeReadersPage{}, "questions.html": &questionsPage{}, "question.html": &questionPage{},
		"mails.html": &mailsPage{}, "mail.html": &mailPage{}, "mailsenders.html": &mailSendersPage{},
		"progress.html": &progressPage{}, "screen.html": &progressPage{}, "standings.html": &standingsPage{}, "course.html": &coursePage{}, "certificates.html": &certificatesPage{}, "certificate.html": &certificatePage{},
	}
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range p.sets[langChinese] {
		d, ok := data[name]
		if !ok {
			t.Errorf("%s has no data type in this test", name)
			continue
		}
		for _, set := range []func() (*template.Template, error){set, p.sets[langEnglish][name]} {
			page, err := set()
			if err != nil {
				t.Error(err)
				continue
			}
			if err := templatecheck.CheckHTML(page.Lookup("main"), d); err != nil {
				t.Error(err)
			}
		}
	}
	if len(p.sets[langChinese]) != len(data) || len(p.sets[langEnglish]) != len(data) {
		t.Errorf("%d pages, %d data types", len(p.sets[langChinese]), len(data))
	}
}

// A route without an access rule, or one that names a report and does not ask for
// its scope, does not build a server.
func TestRoutesWithoutRuleDoNotBuild(t *testing.T) {
	ok := (&Server{}).table()
	if err := checkRoutes(ok); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*route)
		want   string
	}{
		{"no rule", func(r *route) { r.Rule = rule{} }, "has no access rule"},
		{"no handler", func(r *route) { r.Handle = nil }, "is not complete"},
		{"no summary", func(r *route) { r.Summary = "" }, "is not complete"},
		{"a unit without its scope", func(r *route) { r.Path, r.Rule = "/units/{unit}/x", signedIn }, "does not ask for its scope"},
		{"a report without its scope", func(r *route) { r.Path, r.Rule = "/reports/{report}/x", signedIn }, "does not ask for its scope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			routes := append([]route(nil), ok...)
			tt.change(&routes[len(routes)-1])
			if err := checkRoutes(routes); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	// ServeMux itself refuses two routes that could meet the same request.
	mux := http.NewServeMux()
	for _, rt := range ok {
		mux.Handle(rt.Method+" "+rt.Path, http.NotFoundHandler())
	}
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"/reports/1": "/reports/1", "": "/", "https://example.org": "/", "//example.org": "/", `/\example.org`: "/", "/a\nb": "/", "reports": "/",
	} {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDisposition(t *testing.T) {
	got := disposition("采集表 \"x\"/..\\a\r\nb.xlsx")
	if strings.ContainsAny(got, "\r\n") || strings.Count(got, `"`) != 2 || !strings.Contains(got, "filename*=UTF-8''%E9%87%87") {
		t.Errorf("disposition %q", got)
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add("login=a&password=b")
	f.Add("unit=12&csrf=x")
	f.Fuzz(func(t *testing.T, body string) {
		for _, in := range []any{&wireSignin{}, &wireOpen{}, &wireDisable{}, &wireChanges{}} {
			for _, ct := range []string{"application/x-www-form-urlencoded", "application/json"} {
				r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
				if err != nil {
					t.Skip()
				}
				r.Header.Set("Content-Type", ct)
				_ = read(r, in) // must not panic
			}
		}
	})
}
