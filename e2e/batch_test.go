package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type batchJSON struct {
	ID, State, Error string
	Counts           struct{ Rows, New, Fault int }
	Accounts         []struct {
		UnitName string `json:"unit_name"`
		Phone    string
	}
	Problems []struct {
		Seq                   int
		Field, Code, Severity string
	}
}

const batchHead = "单位编码,单位名称,姓名,联系方式,角色\n"

// batch sends a list of accounts and waits for its preview.
func (c *client) batch(csv string) (b batchJSON) {
	c.t.Helper()
	res, body := c.upload("/activation/batch", "名单.csv", []byte(csv), nil)
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("%d %s", res.StatusCode, body)
	}
	if err := json.Unmarshal(body, &b); err != nil {
		c.t.Fatal(err)
	}
	for b.State == "running" {
		c.must("GET", "/activation/batch/"+b.ID, nil, &b)
	}
	return b
}

// A list of people becomes accounts, each with a code and none with a password: what is
// wrong is told by cell and left out, a double click creates nothing twice, and nobody
// creates what is not theirs to give (SEC-10).
func TestBatchOfAccounts(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startWatched(t, db)
		dept, city, auditor := s.client(t, "dept"), s.client(t, "city"), s.client(t, "audit")
		b := dept.batch(batchHead +
			"501001002,锦州市第二示范小学,赵示例,16020000001,填报人\n" +
			",锦州市第三示范小学,钱示例,16020000002,\n" +
			"501001002,锦州市第二示范小学,孙示例,16020000001,填报人\n" + // the first's number
			"501001002,锦州市第三示范小学,李示例,16020000003,填报人\n" + // another unit's name
			"999,没有的学校,周示例,16020000004,填报人\n" +
			",黑山县示范中学,吴示例,16020000005,填报人\n" + // not below the department
			"501001002,,郑示例,16020000006,审核人\n" +
			",,王示例,16020000007,填报人\n" +
			"501001002,,冯示例,024-23861234,填报人\n")
		if b.State != "ready" || b.Counts.Rows != 9 || b.Counts.New != 2 || b.Counts.Fault != 7 {
			t.Fatalf("%+v", b)
		}
		var got []string
		for _, p := range b.Problems {
			got = append(got, fmt.Sprint(p.Seq, " ", p.Field, " ", p.Code))
		}
		want := []string{
			"4 phone account.twice", "5 unit_name unit.name_mismatch", "6 budget_code unit.unknown", "7 unit_name unit.out_of_scope",
			"8 role role.not_grantable", "9 unit_name required", "10 phone phone.landline",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if a := b.Accounts[1]; a.UnitName != "锦州市第三示范小学" || a.Phone != "160****0002" {
			t.Errorf("%+v", a)
		}
		path := "/activation/batch/" + b.ID
		if res, body := dept.do("POST", path+"/annotated", "application/json", strings.NewReader("{}")); res.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte("PK")) {
			t.Errorf("annotated: %d", res.StatusCode)
		}
		if got := city.call("POST", path+"/accounts", map[string]any{}, nil); got != http.StatusNotFound {
			t.Errorf("another's preview: %d", got)
		}

		// Sent twice, the same codes come; sent anew, they exist.
		var first, again slipsJSON
		dept.must("POST", path+"/accounts", map[string]any{}, &first)
		dept.must("POST", path+"/accounts", map[string]any{}, &again)
		if len(first.Slips) != 2 || !cmp.Equal(first, again) {
			t.Errorf("sent twice: %d and %d codes", len(first.Slips), len(again.Slips))
		}
		anew := dept.batch(batchHead + "501001002,,赵示例,16020000001,填报人\n")
		if anew.Counts.New != 0 || len(anew.Problems) != 1 || anew.Problems[0].Code != "account.exists" {
			t.Errorf("sent anew: %+v", anew)
		}
		if got := dept.call("POST", "/activation/batch/"+anew.ID+"/accounts", map[string]any{}, nil); got != http.StatusBadRequest {
			t.Errorf("nothing to create: %d", got)
		}

		// The account is there, with no way in but the code.
		clerk := s.anonymous(t)
		for _, password := range []string{"", "16020000001", "123456"} {
			if got := clerk.signIn("16020000001", password); got != http.StatusUnauthorized && got != http.StatusBadRequest {
				t.Errorf("signed in before a password was set: %d", got)
			}
		}
		if got := clerk.call("POST", "/activate", map[string]string{"code": first.Slips[0].Code, "password": "Neues-Wort-26"}, nil); got != http.StatusOK {
			t.Fatalf("the code: %d", got)
		}
		if got := clerk.signIn("16020000001", "Neues-Wort-26"); got != http.StatusOK {
			t.Fatalf("signed in: %d", got)
		}
		if r := clerk.ownReport(); r.OwnerName != "锦州市第二示范小学" {
			t.Errorf("it fills in for %s", r.OwnerName)
		}
		var trail struct {
			Records []struct{ What, Detail string }
		}
		auditor.must("GET", "/audit?what=user.create", nil, &trail)
		made := 0
		for _, e := range trail.Records {
			if strings.Contains(e.Detail, "batch=2") {
				made++
			}
			if strings.Contains(e.Detail, "1602000") {
				t.Error("a phone stands on the trail")
			}
		}
		if made != 2 {
			t.Errorf("%d events for 2 accounts", made)
		}
		for _, other := range []string{"unit", "admin", "security"} {
			if res, _ := s.client(t, other).upload("/activation/batch", "名单.csv", []byte(batchHead), nil); res.StatusCode != http.StatusForbidden {
				t.Errorf("a list by %s: %d", other, res.StatusCode)
			}
		}

		// A thousand at once.
		var long strings.Builder
		long.WriteString(batchHead)
		for i := range 1000 {
			fmt.Fprintf(&long, "501001002,,赵示例,1603%07d,填报人\n", i)
		}
		start := time.Now()
		b = city.batch(long.String())
		var many slipsJSON
		status := city.call("POST", "/activation/batch/"+b.ID+"/accounts", map[string]any{}, &many)
		// Still at it: asked again it says so, and in the end gives the same slips.
		for len(many.Slips) == 0 && (status == http.StatusOK || status == http.StatusBadRequest) && time.Since(start) < 2*time.Minute {
			time.Sleep(100 * time.Millisecond)
			status = city.call("POST", "/activation/batch/"+b.ID+"/accounts", map[string]any{}, &many)
		}
		if len(many.Slips) != 1000 {
			t.Errorf("%d: %d codes of 1000: %+v", status, len(many.Slips), b.Counts)
		}
		t.Logf("a thousand accounts in %v", time.Since(start).Round(time.Millisecond))
	})
}
