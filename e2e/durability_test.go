package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// The server is killed with -9 at random moments during two hundred saves by
// several people: every acknowledged one is there, none twice, and what was sent
// again under its key is there once.
func TestKilledDuringSaves(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		const people, each = 4, 50
		reports := make([]string, people)
		city := s.client(t, "city")
		var list struct{ Reports []reportJSON }
		city.must("GET", "/reports?campaign="+campaign+"&q=黑山县", nil, &list)
		for i := range reports {
			reports[i] = city.open(list.Reports[i].Owner).ID
		}

		var mu sync.RWMutex // held for reading while the server is up
		stop := make(chan struct{})
		answers := make(chan struct{}, people*each)
		killed := 0
		var killer sync.WaitGroup
		killer.Go(func() {
			for {
				// After some answers, at any moment of what the others ask; however slow the
				// machine is, each life of the server brings the test forward.
				for range 4 + rand.IntN(16) {
					select {
					case <-stop:
						return
					case <-answers:
					}
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
				s.kill() // whatever the clients are doing
				killed++
				mu.Lock()
				s.start(t)
				mu.Unlock()
			}
		})
		acknowledged := make([]map[string]string, people)
		var wg sync.WaitGroup
		for p := range people {
			acknowledged[p] = map[string]string{}
			wg.Add(1)
			go func() {
				defer wg.Done()
				for n := range each {
					time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // nobody keeps step with another
					body, err := json.Marshal(map[string]any{
						"key": fmt.Sprintf("p%d-%d", p, n), "base": 0,
						"changes": []change{{"op": "insert", "temp": "t", "after": "end", "cells": person(1000*p + n)}},
					})
					if err != nil {
						t.Error(err)
						return
					}
					for try := 0; ; try++ {
						mu.RLock()
						c := &client{t: t, base: s.url, cookie: city.cookie, csrf: city.csrf}
						mu.RUnlock()
						res, b, err := c.try("POST", "/reports/"+reports[p]+"/changes", "application/json", bytes.NewReader(body))
						if err == nil && res.StatusCode == http.StatusOK {
							var out savedJSON
							if err := json.Unmarshal(b, &out); err != nil {
								t.Error(err)
							}
							acknowledged[p][out.Inserted["t"]] = person(1000*p + n)["person_id"]
							answers <- struct{}{}
							break
						}
						if try == 400 {
							t.Errorf("no answer to save %d of %d: %v %.200s", n, p, err, b)
							return
						}
						time.Sleep(20 * time.Millisecond)
					}
				}
			}()
		}
		wg.Wait()
		close(stop)
		killer.Wait()
		if killed < 3 {
			t.Errorf("the server was killed %d times only", killed)
		}
		t.Logf("killed %d times", killed)
		city.base = s.url
		for p := range people {
			sheet := city.sheet(reports[p])
			if len(sheet.Rows) != each || sheet.Report.Version != each || len(acknowledged[p]) != each {
				t.Errorf("report %d: %d rows at version %d, %d acknowledged, want %d", p, len(sheet.Rows), sheet.Report.Version, len(acknowledged[p]), each)
			}
			for _, r := range sheet.Rows {
				if acknowledged[p][r.ID] != r.Values[6] {
					t.Errorf("report %d: row %s does not hold what was acknowledged", p, r.ID)
				}
			}
		}
	})
}
