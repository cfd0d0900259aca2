package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cutAt says when the server is killed: at its how manyth question to the platform, before
// the platform hears it, or after, so that the answer is lost.
type cutAt struct {
	question int
	heard    bool
}

// killing stands between the server and the platform, which is a SCIM service of another
// make in a process of its own (tools/scim), and kills the server with -9.
type killing struct {
	t    *testing.T
	to   string
	mu   sync.Mutex
	n    int // questions so far
	cuts []cutAt
	kill func()
	dead chan struct{} // the server was killed
	all  []string      // what was asked
}

func startKilling(t *testing.T, exe string, flags ...string) *killing {
	t.Helper()
	cmd := exec.Command(exe, flags...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &killing{t: t, to: strings.TrimSpace(line), dead: make(chan struct{}, 1)}
}

func (k *killing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	k.n++
	k.all = append(k.all, r.Method)
	var cut *cutAt
	if len(k.cuts) > 0 && k.cuts[0].question <= k.n {
		cut, k.cuts = &k.cuts[0], k.cuts[1:]
	}
	die := func() {
		k.kill()
		k.dead <- struct{}{}
		panic(http.ErrAbortHandler)
	}
	if cut != nil && !cut.heard {
		die()
	}
	req, err := http.NewRequestWithContext(k.t.Context(), r.Method, k.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header = r.Header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	k.single()
	if cut != nil {
		die()
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(answer)
}

// there lists what stands at the platform.
func (k *killing) there() (out []string) {
	for start := 1; ; {
		req, err := http.NewRequestWithContext(k.t.Context(), "GET", fmt.Sprintf("%s/v2/Users?startIndex=%d&count=100", k.to, start), nil)
		if err != nil {
			k.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer secret")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			k.t.Fatal(err)
		}
		var l struct {
			TotalResults int
			Resources    []struct {
				UserName, DisplayName string
				Active                bool
				Enterprise            struct{ Department string } `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
			}
		}
		err = json.NewDecoder(res.Body).Decode(&l)
		res.Body.Close()
		if err != nil {
			k.t.Fatal(err)
		}
		for _, u := range l.Resources {
			if strings.HasPrefix(u.UserName, "retired-") {
				u.UserName = "retired"
			}
			out = append(out, fmt.Sprint(u.DisplayName, " ", u.UserName, " ", u.Enterprise.Department, " ", u.Active))
		}
		if start += len(l.Resources); len(l.Resources) == 0 || start > l.TotalResults {
			slices.Sort(out)
			return out
		}
	}
}

// single fails where somebody has two accounts there; whom a step concerns is known by the
// name, which is one person's here.
func (k *killing) single() {
	seen := make(map[string]bool)
	for _, line := range k.there() {
		name, _, _ := strings.Cut(line, " ")
		if seen[name] {
			k.t.Error("somebody has two accounts at the platform")
		}
		seen[name] = true
	}
}

// move is who is in which unit, with whose phone.
type move struct {
	name        string
	id, phoneOf int
}

// playMoves lets people come, move, change phones and leave over two rounds, each with a plan
// that the server carries out at the platform while it is killed; it returns what stands
// there in the end, and how many questions there were.
func playMoves(t *testing.T, exe string, bulk bool, cuts ...cutAt) (stands []string, questions int) {
	t.Helper()
	var flags []string
	if bulk {
		flags = []string{"-bulk"}
	}
	k := startKilling(t, exe, flags...)
	k.cuts = cuts
	front := httptest.NewServer(k)
	defer front.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startDemo(t, "", "--scim-url", front.URL+"/v2", "--scim-token-file", token)
	k.kill = s.kill
	dept, province, admin, security := s.client(t, "dept"), s.client(t, "province"), s.client(t, "admin"), s.client(t, "security")
	boss := s.create(t, admin, "second", "")
	var own struct{ Own []struct{ Unit string } }
	province.must("GET", "/lending", nil, &own)
	security.must("POST", "/grants", map[string]string{"user": security.find("second"), "role": "province", "unit": own.Own[0].Unit}, nil)

	const first, second = unitName, "锦州市第二示范小学"
	fill := func(unit string, people ...move) {
		t.Helper()
		e := dept.entry(unit)
		rep := dept.open(e.ID)
		var changes []change
		for _, row := range dept.sheet(rep.ID).Rows {
			changes = append(changes, change{"op": "delete", "row": row.ID})
		}
		for i, p := range people {
			cells := person(p.id)
			cells["budget_code"], cells["unit_name"], cells["org_code"] = e.BudgetCode, e.Name, e.OrgCode
			cells["person_name"], cells["phone"] = p.name, person(p.phoneOf)["phone"]
			changes = append(changes, change{"op": "insert", "temp": fmt.Sprint(i), "after": "end", "cells": cells})
		}
		dept.save(rep.ID, rep.Version, changes)
		dept.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, nil)
	}
	above := dept.ownReport()
	var clear []change
	for _, row := range dept.sheet(above.ID).Rows {
		clear = append(clear, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, clear)
	var plan accountPlanJSON
	carry := func() {
		t.Helper()
		plan = accountPlanJSON{}
		province.must("POST", "/platform/plans", map[string]string{"campaign": campaign}, &plan)
		path := "/platform/plans/" + plan.ID
		boss.must("POST", path+"/approve", map[string]string{}, nil)
		for end := time.Now().Add(90 * time.Second); ; {
			select {
			case <-k.dead:
				s.start(t)
				for _, c := range []*client{dept, province, boss} {
					c.base = s.url
				}
			case <-time.After(50 * time.Millisecond):
			}
			res, b, err := province.try("GET", path, "", nil)
			if err == nil && res.StatusCode == http.StatusOK && json.Unmarshal(b, &plan) == nil && plan.State == "done" {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the plan is %s: %+v", plan.State, plan.Steps)
			}
		}
	}
	fill(first, move{name: "张示甲", id: 1, phoneOf: 1}, move{name: "张示乙", id: 2, phoneOf: 2})
	fill(second, move{name: "张示丙", id: 3, phoneOf: 3}, move{name: "张示丁", id: 4, phoneOf: 4})
	carry()
	// 甲 moves, 丙 leaves and 乙 has that phone, 丁 has another one, which 戊 gets.
	fill(first, move{name: "张示乙", id: 2, phoneOf: 3})
	fill(second, move{name: "张示甲", id: 1, phoneOf: 1}, move{name: "张示丁", id: 4, phoneOf: 14}, move{name: "张示戊", id: 5, phoneOf: 4})
	carry()
	rebinds := 0
	for _, x := range plan.Steps {
		if x.What == "rebind" {
			rebinds += x.Count
		}
		if x.State != "applied" {
			t.Errorf("%d steps are %s", x.Count, x.State)
		}
	}
	if rebinds != 1 {
		t.Errorf("who moved is bound anew %d times", rebinds)
	}
	plan = accountPlanJSON{}
	province.must("POST", "/platform/plans", map[string]string{"campaign": campaign}, &plan)
	if len(plan.Steps) != 0 || plan.Kept != 4 {
		t.Errorf("a plan after it has something to do: %+v, %d kept", plan.Steps, plan.Kept)
	}
	k.mu.Lock()
	stands, questions = k.there(), k.n
	if len(k.cuts) > 0 {
		t.Errorf("%d cuts were not made in %d questions", len(k.cuts), k.n)
	}
	k.mu.Unlock()
	var drift struct{ Drift []struct{ Kind string } }
	province.must("GET", "/platform/drift", nil, &drift)
	if len(drift.Drift) != 0 {
		t.Errorf("the platform has %d accounts otherwise", len(drift.Drift))
	}
	return stands, questions
}

// Killed with -9 while it carries plans out at a real SCIM service, before or after the
// service heard it, the server comes to the same end as one that was not, and nobody ever has
// two accounts. With TIANBAO_TEST_LONG it is killed at every question, each in a world of its own.
func TestPlansKilledAtThePlatform(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "scim")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = filepath.Join("..", "tools", "scim")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatalf("build tools/scim: %v\n%s", err, out)
		}
		t.Skipf("build tools/scim: %v", err)
	}
	want, questions := []string{
		"张示丁 16010000014 501001002 true", "张示丙 retired 501001002 false", "张示乙 16010000003 501001001 true",
		"张示戊 16010000004 501001002 true", "张示甲 16010000001 501001002 true",
	}, 0
	check := func(t *testing.T, bulk bool, cuts ...cutAt) {
		t.Helper()
		got, n := playMoves(t, exe, bulk, cuts...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		questions = n
	}
	if os.Getenv("TIANBAO_TEST_LONG") == "" {
		// Three accounts were made at once, and nobody heard; then before a question, and after a
		// change.
		check(t, true, cutAt{2, true}, cutAt{7, false}, cutAt{15, true})
		return
	}
	for _, bulk := range []bool{false, true} {
		t.Run(fmt.Sprintf("bulk %t, uninterrupted", bulk), func(t *testing.T) { check(t, bulk) })
		for n := range questions {
			for _, heard := range []bool{false, true} {
				t.Run(fmt.Sprintf("bulk %t, question %d, heard %t", bulk, n+1, heard), func(t *testing.T) { check(t, bulk, cutAt{n + 1, heard}) })
			}
		}
	}
}
