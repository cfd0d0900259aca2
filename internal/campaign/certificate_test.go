package campaign_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/campaign"
)

func TestCertificate(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		o.at("2022-09-05 10:00:00")
		o.ok(o.store.Declare(o.ctx(), []tianbao.Declaration{{ID: 501, Campaign: collection, Unit: department, Kind: tianbao.DeclareNil, Reason: "没有", At: o.now}}, true))
		rep := o.open(school)
		_, err := o.save(school, rep, o.person(1, "第一小学", false))
		o.ok(err)
		_, err = o.reports.Submit(o.ctx(), o.filler(school), rep.ID, o.key())
		o.ok(err)

		c, err := o.Certify(o.ctx(), runner(), collection, city)
		o.ok(err)
		if c.Whole() || c.Missing() != 2 || c.Kind() != "完成情况说明" || strings.Contains(c.Says(), "无遗漏") {
			o.t.Errorf("with units missing: %s, %d missing: %s", c.Kind(), c.Missing(), c.Says())
		}
		var names []string
		for _, u := range c.List {
			names = append(names, u.Name+" "+u.State.Title())
		}
		if diff := cmp.Diff([]string{"市财政局 未开始", "第二小学 未开始", "市教育局 零申报", "第一小学 已上报"}, names); diff != "" {
			o.t.Error(diff)
		}

		// What is kept stays, whatever happens afterwards.
		o.at("2022-09-06 10:00:00")
		o.ok(o.store.Declare(o.ctx(), []tianbao.Declaration{{ID: 502, Campaign: collection, Unit: second, Kind: tianbao.DeclareExempt, Reason: "没有", At: o.now}}, true))
		kept, err := o.store.Certificate(o.ctx(), tianbao.Scope{Paths: []string{"/1/2/"}}, c.ID)
		o.ok(err)
		if diff := cmp.Diff(c, kept); diff != "" {
			o.t.Error(diff)
		}
		if campaign.DigestOf(kept.Text()) != c.Digest {
			o.t.Error("the digest is not that of the text")
		}
		whole, err := o.Certify(o.ctx(), runner(), collection, department)
		o.ok(err)
		if !whole.Whole() || whole.Kind() != "完成证明" || !strings.Contains(whole.Says(), "3 个，已全部完成，无遗漏") {
			o.t.Errorf("with none missing: %s: %s", whole.Kind(), whole.Says())
		}
		list, err := o.store.Certificates(o.ctx(), everything(), collection, 10)
		o.ok(err)
		head := whole.Head()
		if len(list) > 0 && list[0].At.Equal(head.At) {
			head.At = list[0].At // in another zone
		}
		if len(list) != 2 || list[0] != head || list[1].Whole() || !list[0].Whole() {
			o.t.Errorf("listed: %+v", list)
		}
		if list, err = o.store.Certificates(o.ctx(), tianbao.Scope{Paths: []string{"/1/2/5/"}}, collection, 10); err != nil || len(list) != 1 {
			o.t.Errorf("listed to the department: %d, %v", len(list), err)
		}

		// Nobody gets one of another's part, and none about nobody.
		if _, err := o.store.Certificate(o.ctx(), tianbao.Scope{Paths: []string{"/1/2/5/"}}, c.ID); tianbao.KindOf(err) != tianbao.ErrNotFound {
			o.t.Errorf("out of scope: %v", err)
		}
		a := runner()
		a.Locks = tianbao.Scope{Paths: []string{"/1/3/"}}
		if _, err := o.Certify(o.ctx(), a, collection, city); tianbao.KindOf(err) != tianbao.ErrNotFound {
			o.t.Errorf("made out of scope: %v", err)
		}
		if _, err := o.Certify(o.ctx(), runner(), collection, other); tianbao.KindOf(err) != tianbao.ErrInvalid {
			o.t.Errorf("about nobody: %v", err)
		}
	})
}

// A text that is not whole is no certificate.
func TestParseCertificate(t *testing.T) {
	c := campaign.Certificate{ID: 7, Campaign: 8, Unit: 9, Number: "WC1", At: time.Date(2022, 9, 24, 0, 0, 0, 0, time.UTC), Title: "采\t集", UnitName: "市\n局", List: []campaign.Certified{
		{Unit: 9, Code: "501", Name: "市局", State: tianbao.StandingNone}, {Unit: 10, Name: "小学", State: tianbao.StandingPassed},
	}}
	text := c.Text()
	back, err := campaign.ParseCertificate(text)
	if err != nil || !bytes.Equal(back.Text(), text) || back.Title != "采 集" || len(back.List) != 2 {
		t.Fatalf("%v: %+v", err, back)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := range lines[:5] {
		cut := bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil)
		if got, err := campaign.ParseCertificate(cut); err == nil && (i < 4 || len(got.List) == 2) {
			t.Errorf("without line %d it is read", i+1)
		}
	}
	for name, bad := range map[string]string{
		"nothing": "", "another form": "x\n", "a state that is none": strings.Replace(string(text), "passed", "past", 1), "a field too many": strings.Replace(string(text), "小学", "小\t学", 1),
		"no time": strings.Replace(string(text), "2022", "year", 1), "no id": strings.Replace(string(text), "\n10\t", "\nten\t", 1),
	} {
		if _, err := campaign.ParseCertificate([]byte(bad)); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
}

func FuzzParseCertificate(f *testing.F) {
	f.Add([]byte("tianbao-certificate 1\n7\tWC1\t2022-09-24T08:00:00+08:00\n8\t采集\n9\t501\t市局\t0\n9\t501\t\t市局\t\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := campaign.ParseCertificate(text)
		if err != nil {
			return
		}
		again, err := campaign.ParseCertificate(c.Text())
		if err != nil || !bytes.Equal(again.Text(), c.Text()) {
			t.Errorf("%v: what was read is written otherwise", err)
		}
	})
}
