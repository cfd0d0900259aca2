package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tianbao/internal/demo"
)

type grantsJSON struct {
	Grants []struct {
		ID, User, Role, Unit, State, By, Lent, To string
		UserName                                  string `json:"user_name"`
		UnitName                                  string `json:"unit_name"`
	}
	Waiting, Found []struct{ ID, Name, Login, Office, Asked string }
}

func (c *client) grants(query string) grantsJSON {
	c.t.Helper()
	var out grantsJSON
	c.must("GET", "/grants"+query, nil, &out)
	return out
}

// find looks an account up as the security administrator does.
func (c *client) find(login string) string {
	c.t.Helper()
	var out grantsJSON
	c.must("POST", "/grants/search", map[string]string{"q": login}, &out)
	if len(out.Found) != 1 {
		c.t.Fatalf("%d accounts %s", len(out.Found), login)
	}
	return out.Found[0].ID
}

// create makes an account as the system administrator and signs it in.
func (s *server) create(t *testing.T, admin *client, login, office string) *client {
	t.Helper()
	var made struct{ Password string }
	admin.must("POST", "/users", map[string]string{"login": login, "name": "新人", "office": office}, &made)
	c := s.anonymous(t)
	if got := c.signIn(login, made.Password); got != http.StatusOK {
		t.Fatalf("%s signs in: %d", login, got)
	}
	return c
}

// unitCode is the organisation code of a unit as its own account finds it.
func (c *client) unitCode(name string) string {
	c.t.Helper()
	var out struct {
		Units []struct {
			Name  string
			Cells map[string]string
		}
	}
	c.must("POST", "/units/search", map[string]string{"q": name}, &out)
	for _, u := range out.Units {
		if u.Name == name {
			return u.Cells["org_code"]
		}
	}
	c.t.Fatalf("no unit %s", name)
	return ""
}

// SEC-13: an account begins without rights; the system administrator makes it, the
// security administrator gives it a role, and neither does the other's part. An office
// takes two people. No way leads to two offices, or to an office and a role.
func TestSEC13Offices(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		admin, security, auditor, city := s.client(t, "admin"), s.client(t, "security"), s.client(t, "audit"), s.client(t, "city")
		school := city.unitCode("锦州市第二示范小学")

		c := s.create(t, admin, "newcomer", "")
		if got := c.call("GET", "/reports", nil, nil); got != http.StatusForbidden {
			t.Errorf("a new account fills in: %d", got)
		}
		for _, body := range []map[string]string{{"role": "city"}, {"grants": "1"}, {"unit": "100"}} {
			body["login"], body["name"] = "sneaky", "新人"
			if got := admin.call("POST", "/users", body, nil); got != http.StatusBadRequest {
				t.Errorf("an account created with %v: %d", body, got)
			}
		}
		id := security.find("newcomer")
		give := func(user, role, unit string) map[string]string {
			return map[string]string{"user": user, "role": role, "unit": unit}
		}
		for _, who := range []*client{admin, auditor, city, c} {
			for _, p := range []struct{ method, path string }{{"GET", "/grants"}, {"POST", "/grants"}, {"POST", "/grants/search"}, {"POST", "/grants/1/end"}, {"POST", "/offices/" + id}} {
				if got := who.call(p.method, p.path, map[string]string{}, nil); got != http.StatusForbidden {
					t.Errorf("%s %s: %d", p.method, p.path, got)
				}
			}
		}
		security.must("POST", "/grants", give(id, "filler", school), nil)
		var list struct{ Reports []reportJSON }
		c.must("GET", "/reports?campaign="+campaign, nil, &list)
		if len(list.Reports) != 1 {
			t.Errorf("the newcomer sees %d units, want 1", len(list.Reports))
		}
		if got := security.grants("?user=" + id); len(got.Grants) != 1 || got.Grants[0].By != "安全管理员" || got.Grants[0].State != "有效" {
			t.Errorf("grants %+v", got.Grants)
		}
		if got := security.grants("?unit=" + school); len(got.Grants) != 5 { // school, department, city twice, province
			t.Errorf("%d grants reach the school: %+v", len(got.Grants), got.Grants)
		}
		for _, bad := range []map[string]string{
			give(id, "system", school), give(id, "root", school), give(id, "city", "nowhere"), give(id, "", school),
			{"user": id, "role": "city", "unit": school, "to": "2020-01-01"},
			{"user": id, "role": "city", "unit": school, "from": "soon"},
			give(security.find("security"), "city", school), give(security.find("admin"), "city", school), give(security.find("audit"), "province", school),
		} {
			if got := security.call("POST", "/grants", bad, nil); got != http.StatusBadRequest {
				t.Errorf("%v: %d, want 400", bad, got)
			}
		}
		security.must("POST", "/grants/"+security.grants("?user=" + id).Grants[0].ID+"/end", map[string]string{}, nil)
		if got := c.call("GET", "/reports", nil, nil); got != http.StatusForbidden {
			t.Errorf("after the end: %d", got)
		}

		// Two people make an administrator.
		second := s.create(t, admin, "second", "audit")
		if got := second.call("GET", "/audit", nil, nil); got != http.StatusForbidden {
			t.Errorf("an office that nobody agreed to: %d", got)
		}
		who := security.find("second")
		for _, office := range []string{"system", "security", "city", ""} {
			if got := security.call("POST", "/offices/"+who, map[string]any{"office": office, "agree": true}, nil); got != http.StatusNotFound {
				t.Errorf("the office %q was not asked for: %d", office, got)
			}
		}
		security.must("POST", "/offices/"+who, map[string]any{"office": "audit", "agree": true}, nil)
		if got := second.call("GET", "/session", nil, nil); got != http.StatusUnauthorized {
			t.Errorf("a session goes on with other rights: %d", got)
		}
		if got := security.call("POST", "/offices/"+id, map[string]any{"office": "audit", "agree": true}, nil); got != http.StatusNotFound {
			t.Errorf("the security administrator appoints alone: %d", got)
		}
		// Nobody takes another administrator's account by resetting its password.
		for _, login := range []string{"security", "audit", "second"} {
			if got := admin.call("POST", "/users/"+admin.userID(login)+"/password", map[string]string{}, nil); got != http.StatusBadRequest {
				t.Errorf("the password of %s: %d", login, got)
			}
		}

		// The command line refuses the same.
		for _, args := range [][]string{
			{"user", "grant", "--login", "audit", "--role", "city", "--unit", school},
			{"user", "grant", "--login", "second", "--role", "system"},
			{"user", "add", "--login", "audit", "--role", "system"},
		} {
			s.command(t, 1, args...)
		}
		s.command(t, 0, "user", "grant", "--login", "newcomer", "--role", "filler", "--unit", school, "--to", time.Now().AddDate(0, 1, 0).Format(time.DateOnly))
		c.must("GET", "/reports", nil, nil)
		s.command(t, 0, "user", "revoke", "--login", "newcomer")
		s.command(t, 1, "user", "revoke", "--login", "newcomer")
	})
}

// SEC-23: rights that were written into the database by hand give nothing, and both the
// auditor's page and the command line find them.
func TestSEC23RightsByHand(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		admin, auditor, unit := s.client(t, "admin"), s.client(t, "audit"), s.client(t, "unit")
		if out := s.command(t, 0, "audit", "verify"); !strings.Contains(out, "账号和授权完整") {
			t.Errorf("verify: %s", out)
		}
		id := admin.userID("unit")
		s.sql(t, "UPDATE role_grant SET role = 'province', unit_id = 100 WHERE user_id = "+id)
		// A server remembers a session for half a second.
		waitFor(t, time.Second, func() bool { return unit.call("GET", "/reports", nil, nil) == http.StatusForbidden })
		s.sql(t, "UPDATE app_user SET office = 'security' WHERE id = "+id)
		waitFor(t, time.Second, func() bool { return unit.call("GET", "/grants", nil, nil) == http.StatusUnauthorized })
		if got := s.anonymous(t).signIn("unit", demo.Password); got != http.StatusUnauthorized {
			t.Errorf("an altered account signs in: %d", got)
		}
		var trail trailJSON
		auditor.must("GET", "/audit?what=rights.altered", nil, &trail)
		if len(trail.Records) == 0 || trail.Records[0].Object != "app_user "+id && trail.Records[1].Object != "app_user "+id {
			t.Errorf("the trail tells %+v", trail.Records)
		}
		var v struct{ Faults []string }
		auditor.must("POST", "/audit/verification", map[string]string{}, &v)
		if len(v.Faults) != 2 {
			t.Errorf("the page finds %q", v.Faults)
		}
		if out := s.command(t, 1, "audit", "verify"); !strings.Contains(out, "app_user "+id) {
			t.Errorf("verify: %s", out)
		}
		// Who has the machine puts it right.
		cmd := product(t.Context(), s.line("user", "passwd", "--login", "unit", "--password-stdin")...)
		cmd.Stdin = strings.NewReader("Wieder-Gut-1\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		s.command(t, 0, "user", "revoke", "--login", "unit")
		s.command(t, 0, "audit", "verify")
		if got := s.anonymous(t).signIn("unit", "Wieder-Gut-1"); got != http.StatusOK {
			t.Errorf("put right: %d", got)
		}
	})
}

// 委托: a part of one's own, to a colleague, until a day; it ends with the giver's.
func TestLending(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		admin, security, city := s.client(t, "admin"), s.client(t, "security"), s.client(t, "city")
		bureau, dept := city.unitCode("锦州市财政局"), city.unitCode("锦州市教育局")
		colleague := s.create(t, admin, "colleague", "")
		id := security.find("colleague")
		security.must("POST", "/grants", map[string]string{"user": id, "role": "service", "unit": bureau}, nil)
		var mine struct {
			Own []struct {
				ID         string
				Colleagues []struct{ ID string }
			}
			Lent []struct{ ID, User string }
		}
		city.must("GET", "/lending", nil, &mine)
		if len(mine.Own) != 1 || len(mine.Own[0].Colleagues) != 2 { // the service engineer of the demonstration too
			t.Fatalf("lending %+v", mine)
		}
		tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
		ask := func(over map[string]string) map[string]string {
			m := map[string]string{"grant": mine.Own[0].ID, "user": id, "unit": dept, "to": tomorrow}
			for k, v := range over {
				m[k] = v
			}
			return m
		}
		for name, tt := range map[string]struct {
			over map[string]string
			want int
		}{
			"no day":               {map[string]string{"to": ""}, 400},
			"too long":             {map[string]string{"to": "2100-01-01"}, 400},
			"yesterday":            {map[string]string{"to": "2020-01-01"}, 400},
			"a unit above":         {map[string]string{"unit": "105"}, 400},
			"somebody elsewhere":   {map[string]string{"user": security.find("province")}, 400},
			"an administrator":     {map[string]string{"user": security.find("audit")}, 400},
			"oneself":              {map[string]string{"user": security.find("city")}, 400},
			"what another one has": {map[string]string{"grant": security.grants("?user=" + id).Grants[0].ID}, 404},
		} {
			if got := city.call("POST", "/lending", ask(tt.over), nil); got != tt.want {
				t.Errorf("%s: %d, want %d", name, got, tt.want)
			}
		}
		city.must("POST", "/lending", ask(nil), nil)
		var list struct{ Reports []reportJSON }
		colleague.must("GET", "/reports?campaign="+campaign, nil, &list)
		if len(list.Reports) != 9 {
			t.Errorf("the colleague fills in for %d units, want the department and its eight", len(list.Reports))
		}
		lent := security.grants("?user=" + id).Grants[0]
		if lent.Lent != mine.Own[0].ID || lent.By != "市局经办人" || lent.Role != "city" {
			t.Errorf("lent: %+v", lent)
		}
		if got := colleague.call("POST", "/lending", map[string]string{"grant": lent.ID, "user": security.find("city"), "to": tomorrow}, nil); got != 400 {
			t.Errorf("lent on: %d", got)
		}
		if got := colleague.call("POST", "/lending/"+lent.ID+"/end", map[string]string{}, nil); got != http.StatusNotFound {
			t.Errorf("ended by the borrower: %d", got)
		}
		city.must("POST", "/lending/"+lent.ID+"/end", map[string]string{}, nil)
		if got := colleague.call("GET", "/reports", nil, nil); got != http.StatusForbidden {
			t.Errorf("after the end: %d", got)
		}
		city.must("POST", "/lending", ask(nil), nil)
		colleague.must("GET", "/reports", nil, nil)
		security.must("POST", "/grants/"+mine.Own[0].ID+"/end", map[string]string{}, nil)
		if got := colleague.call("GET", "/reports", nil, nil); got != http.StatusForbidden {
			t.Errorf("after the giver's end: %d", got)
		}
	})
}

// line is the command line of a subcommand of two words on the server's installation.
func (s *server) line(args ...string) []string {
	line := append([]string{args[0], args[1], "--data", s.data}, args[2:]...)
	for i, a := range s.args {
		if a == "--db" {
			line = append(line, a, s.args[i+1])
		}
	}
	return line
}
