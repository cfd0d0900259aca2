package storetest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/storetest"
)

// SEC-19, SEC-53: on the day it may be erased and not the day before; and the sealed
// values that were there stand in no byte of the files any more.
func TestErasedFromTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "tianbao.db")
	var sealed [][]byte
	now := time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC)
	t.Run("erase", func(t *testing.T) {
		s := storetest.Open(t, path, storetest.WithClock(func() time.Time { return now }))
		ctx := t.Context()
		closes := now.AddDate(0, 0, 7)
		storetest.FillForErasure(t, s, closes)
		for _, sql := range []string{`SELECT vals FROM report_row`, `SELECT delta FROM change_set`, `SELECT raw FROM import_record`, `SELECT body FROM draft`} {
			err := s.DB().Each(ctx, func(scan db.Scan) error {
				var b []byte
				err := scan(&b)
				var row struct{ S map[string]string }
				if json.Unmarshal(b, &row) == nil && len(row.S) > 0 {
					for _, v := range row.S {
						sealed = append(sealed, []byte(v)[10:50]) // behind the key's id, which all share
					}
				} else if len(b) > 40 {
					sealed = append(sealed, b[6:40])
				}
				return err
			}, sql)
			if err != nil {
				t.Fatal(err)
			}
		}
		until := func(closes time.Time) time.Time { return closes.AddDate(0, 24, 0) }
		now = closes.AddDate(0, 24, -1)
		if _, err := s.EraseCampaign(ctx, storetest.Campaign, until, tianbao.Event{}); err == nil {
			t.Fatal("erased a day too early")
		}
		now = closes.AddDate(0, 24, 0)
		if _, err := s.EraseCampaign(ctx, storetest.Campaign, until, tianbao.Event{}); err != nil {
			t.Fatal(err)
		}
	})
	if len(sealed) < 100 {
		t.Fatalf("only %d sealed values to look for", len(sealed))
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for _, v := range sealed {
			if bytes.Contains(b, v) {
				hits++
			}
		}
		if hits > 0 {
			t.Errorf("%s holds %d of %d erased values", filepath.Base(f), hits, len(sealed))
		}
	}
}

// TestEraseVictim is the process that is killed while it erases a person.
func TestEraseVictim(t *testing.T) {
	url := os.Getenv("TIANBAO_TEST_ERASE")
	if url == "" {
		t.Skip("runs as the child of TestKilledErasure")
	}
	if _, err := storetest.ErasePerson(t, storetest.Open(t, url)); err != nil {
		t.Fatal(err)
	}
}

// SEC-19: killed in the middle as often as may be and done again, an erasure ends where
// it ends undisturbed.
func TestKilledErasure(t *testing.T) {
	run := func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		storetest.FillPerson(t, s)
		if err := s.DB().Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		kills := 0
		// Each has a tenth more time than the one before: a slow machine gets there too.
		for wait := 20 * time.Millisecond; ; wait += wait / 10 {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEraseVictim$")
			cmd.Env = append(os.Environ(), "TIANBAO_TEST_ERASE="+url)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			kill.Stop()
			if err == nil {
				break
			}
			if kills++; kills > 80 {
				t.Fatal("it never ends")
			}
		}
		t.Logf("%d kills", kills)
		storetest.CheckErased(t, storetest.Open(t, url))
	}
	t.Run("sqlite", func(t *testing.T) { run(t, filepath.Join(t.TempDir(), "data", "tianbao.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.PostgresURL(t)) })
}
