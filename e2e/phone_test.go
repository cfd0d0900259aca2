package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao/internal/browser"
	"tianbao/internal/webhook"
)

// phoneGateway is a receiver of the webhook: it takes what is signed, and keeps the codes.
type phoneGateway struct {
	*httptest.Server
	mu    sync.Mutex
	codes map[string][]string // by phone
	texts []string
}

const hookSecret = "a secret of the gateway"

func startGateway(t *testing.T) *phoneGateway {
	g := &phoneGateway{codes: make(map[string][]string)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || !webhook.Verify(webhook.SHA256, []byte(hookSecret), r.Header.Get(webhook.SignatureHeader), b, time.Now(), time.Minute) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		var m struct {
			ID, Kind, Phone, Text, Code string
			Minutes                     int
		}
		if json.Unmarshal(b, &m) != nil || m.Kind != "phone_code" || m.ID != r.Header.Get(webhook.IDHeader) || m.Minutes != 10 || !strings.Contains(m.Text, m.Code) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.codes[m.Phone] = append(g.codes[m.Phone], m.Code)
		g.texts = append(g.texts, m.Text)
	}))
	t.Cleanup(g.Close)
	return g
}

// last waits for the n-th code to a phone that ends in so.
func (g *phoneGateway) last(t *testing.T, end string, n int) string {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		g.mu.Lock()
		for phone, codes := range g.codes {
			if strings.HasSuffix(phone, end) && len(codes) >= n {
				g.mu.Unlock()
				return codes[n-1]
			}
		}
		g.mu.Unlock()
	}
	t.Fatalf("no code came to the phone …%s", end)
	return ""
}

type phonesJSON struct {
	Open   int
	People []struct{ Row, Name, Phone, State string }
}

// An officer wants phones verified, sends codes to those whom the plan holds, and the unit's
// clerk types in what people read to her; those get accounts, the others stay held. Nothing
// of it needs a script.
func TestPhones(t *testing.T) {
	g := startGateway(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(hookSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startDemo(t, "", "--webhook-url", g.URL, "--webhook-secret-file", secret)
	unit, dept, province := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "province")
	rep, above := reportThree(unit, dept)

	c := s.clerk(t, browser.Start(t))
	c.Scripts(false)
	accessible := func(where string) { // axe is a script itself
		t.Helper()
		c.Scripts(true)
		c.accessible(where)
		c.Scripts(false)
	}
	enter := func(login string) {
		t.Helper()
		c.Forget()
		c.Go(s.url + "/signin")
		c.Click("#login")
		c.Type(login)
		c.Click("#password")
		c.Type("Tianbao-2022")
		c.submitForm(".form button")
	}
	enter("province")
	c.Go(s.url + "/platform")
	c.Click(`[name="proof"]`)
	c.submitForm("main form .button-primary")
	path := browser.Eval[string](c.Page, `location.pathname`)
	var plan accountPlanJSON
	province.must("GET", path, nil, &plan)
	if len(plan.Steps) != 0 || len(plan.Held) != 1 || plan.Held[0].What != "unproven" || plan.Held[0].Count != 3 {
		t.Fatalf("the plan: %+v", plan)
	}
	c.Go(s.url + path + "?why=unproven")
	c.submitForm(`form[action$="/codes"] button`)
	if text := c.text(".callout-ok"); !strings.Contains(text, "3") {
		t.Errorf("after sending: %q", text)
	}
	accessible("those held for their phones")
	c.bureauPicture("phones-held")
	res, body := province.do("POST", path+"/export", "application/json", strings.NewReader(`{"format":"csv","held":true}`))
	if res.StatusCode != 200 || !strings.Contains(string(body), "手机号还没有验证") || strings.Contains(string(body), "16000") {
		t.Errorf("the list of those held: %d", res.StatusCode)
	}

	enter("unit")
	c.submitForm(`.card-links a[href="/phones"]`)
	accessible("units with phones to verify")
	c.submitForm(`.table a`)
	page := browser.Eval[string](c.Page, `location.pathname`)
	var people phonesJSON
	unit.must("GET", page, nil, &people)
	if len(people.People) != 3 || people.Open != 0 {
		t.Fatalf("the people: %+v", people)
	}
	end := func(i int) string { return people.People[i].Phone[7:] }
	typed := func(i int, code string) {
		t.Helper()
		c.Go(s.url + page)
		c.Click(fmt.Sprintf("#c%d", i))
		c.Type(code)
		c.submitForm(fmt.Sprintf("#c%d + button", i))
	}
	first := g.last(t, end(0), 1)
	wrong := "000000"
	if first == wrong {
		wrong = "000001"
	}
	typed(0, wrong)
	if text := c.text(".callout-error"); !strings.Contains(text, "4 次") {
		t.Errorf("a wrong code: %q", text)
	}
	accessible("a wrong code")
	typed(0, first)
	if got := c.text("tbody tr:first-child .badge"); got != "已验证" {
		t.Errorf("the right code: %q", got)
	}
	accessible("the phones of a unit")
	c.picture("phones")
	c.Screenshot("phones")

	// What else can be tried: again, for others, from elsewhere.
	row := func(i int, code string) map[string]string {
		return map[string]string{"row": people.People[i].Row, "code": code}
	}
	for _, tt := range []struct {
		name, path string
		in         map[string]string
		want       int
	}{
		{"again", page + "/confirm", row(0, first), 400},
		{"for another one", page + "/confirm", row(1, first), 400},
		{"no code", page + "/confirm", row(1, "１２３"), 400},
		{"of nobody", page + "/confirm", map[string]string{"row": "1", "code": first}, 404},
		{"to nobody", page + "/send", map[string]string{"row": "1"}, 404},
		{"to who is verified", page + "/send", map[string]string{"row": people.People[0].Row}, 400},
		{"at once again", page + "/send", map[string]string{"row": people.People[1].Row}, 429},
		{"in another unit", strings.Replace(page, rep.Owner, above.Owner, 1) + "/confirm", row(1, first), 404},
	} {
		if got := unit.call("POST", tt.path, tt.in, nil); got != tt.want && !(tt.want == 400 && first == g.last(t, end(1), 1)) {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := dept.call("POST", strings.Replace(page, rep.Owner, above.Owner, 1)+"/confirm", row(1, g.last(t, end(1), 1)), nil); got != 404 {
		t.Errorf("a person of a unit below, as one of the department: %d", got)
	}
	unit.must("POST", page+"/confirm", row(1, g.last(t, end(1), 1)), nil)
	province.must("POST", "/platform/plans", map[string]any{"campaign": campaign, "proof": true}, &plan)
	if len(plan.Steps) != 1 || plan.Steps[0].Count != 2 || len(plan.Held) != 1 || plan.Held[0].Count != 1 {
		t.Errorf("the plan after it: %+v", plan)
	}
	for _, code := range []string{first, g.last(t, end(1), 1)} {
		if strings.Contains(string(s.log.Bytes()), code) {
			t.Error("a code is in the log")
		}
	}
}
