package app

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/report"
)

// SEC-19: the server erases a collection once the months that it says itself, or else
// those of the operator, have passed since its end, and no other.
func TestSEC19Retention(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: filepath.Join(dir, "data"), alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { in.close(log) }()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, now := t.Context(), time.Now()
	must(in.store.PutUnits(ctx, tianbao.Unit{ID: 5, Path: "/5/", Name: "单位"}))
	f := in.forms.Latest("asset-role")
	const id = "210102195001019008"
	for _, c := range []struct {
		id     tianbao.ID
		closes time.Time
	}{{1, time.Time{}}, {2, now.AddDate(0, -25, 0)}, {3, now.AddDate(0, -11, 0)}, {4, now.AddDate(0, -13, 0)}} {
		round := tianbao.Campaign{ID: c.id, Title: "采集", Form: f.Name, FormV: f.Version, Released: true}
		must(in.store.PutCampaign(ctx, round))
		scope := tianbao.Scope{Paths: []string{"/5/"}}
		rep, err := in.store.OpenReport(ctx, scope, c.id, 5)
		must(err)
		_, err = in.reports.Save(ctx, report.Actor{Scope: scope}, &tianbao.ChangeSet{Report: rep.ID, Key: "k", Source: tianbao.SourceAPI, Changes: []tianbao.Change{{
			Op: tianbao.OpInsert, Temp: "t", After: tianbao.AtEnd, Cells: []tianbao.CellEdit{{Field: f.Index("person_id"), Value: id}},
		}}})
		must(err)
		round.Closes = c.closes
		must(in.store.PutCampaign(ctx, round))
	}
	erased := func() (out [5]bool) {
		t.Helper()
		list, err := in.store.Retentions(ctx)
		must(err)
		for _, r := range list {
			out[r.Campaign] = !r.Erased.IsZero()
		}
		return out
	}
	must(in.retain(ctx, 0, now, log))
	if got := erased(); got != [5]bool{} {
		t.Errorf("without a setting: %v", got)
	}
	must(in.store.SetRetention(ctx, 4, 12, tianbao.Event{}))
	must(in.retain(ctx, 24, now, log))
	want := [5]bool{2: true, 4: true}
	if got := erased(); got != want {
		t.Errorf("erased %v, want %v", got, want)
	}
	must(in.retain(ctx, 24, now, log)) // and again
	in.close(log)

	// One person, by the command: the id from standard input only.
	run := func(stdin string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		Run(ctx, append(append([]string{"erase"}, args...), "--data", p.data), func(string) string { return "" }, strings.NewReader(stdin), &out, &out)
		if strings.Contains(out.String(), id) {
			t.Error("the output names the person")
		}
		return out.String()
	}
	for _, c := range []struct{ stdin, args, want string }{
		{"", "--person", "请从标准输入"},
		{id, "--person --dry-run --months 6", "可以清除 1 行；还在保存期内的有 1 行"},
		{id, "--person --months 12", "已清除 0 行、"},
		{id + "\n", "--person --months 6", "已清除 1 行、"},
		{id, "--person --dry-run --months 6", "可以清除 0 行；还在保存期内的有 1 行"},
		{"", "--campaign 3 --dry-run", "1 张表、1 行"},
	} {
		if out := run(c.stdin, strings.Fields(c.args)...); !strings.Contains(out, c.want) {
			t.Errorf("erase %s: %s", c.args, out)
		}
	}
	var out bytes.Buffer
	if code := Run(ctx, []string{"audit", "verify", "--data", p.data}, func(string) string { return "" }, nil, &out, &out); code != 0 {
		t.Errorf("verify: %s", out.String())
	}
	in, err = p.open(ctx, log)
	must(err)
}
