package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server that is told to stop amid saves answers all that it took and takes none that it
// does not answer: what got an answer is there once, what got none is not there. Streams
// end whole, and for the time of --drain people are sent elsewhere and still served.
func TestStopAmidSaves(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		if db != "" && os.Getenv("TIANBAO_TEST_LONG") == "" {
			t.Skip("the world is made anew on PostgreSQL; set TIANBAO_TEST_LONG")
		}
		s := startDemo(t, db, "--drain", "300ms")
		const people = 8
		city := s.client(t, "city")
		var list struct{ Reports []reportJSON }
		city.must("GET", "/reports?campaign="+campaign+"&q=黑山县", nil, &list)
		reports := make([]string, people)
		for i := range reports {
			reports[i] = city.open(list.Reports[i].Owner).ID
		}
		unit := s.client(t, "unit")
		streamed := watch(t, unit, "/reports/"+unit.ownReport().ID+"/events")

		kept := make([]map[string]bool, people) // ids that were acknowledged
		lost := make([]map[string]bool, people) // that got no answer
		begun := make(chan struct{}, people*1000)
		var wg sync.WaitGroup
		for p := range people {
			kept[p], lost[p] = map[string]bool{}, map[string]bool{}
			wg.Go(func() {
				for n := 0; ; n++ {
					who := person(1000*p + n)
					body, err := json.Marshal(map[string]any{
						"key": fmt.Sprintf("p%d-%d", p, n), "base": 0,
						"changes": []change{{"op": "insert", "temp": "t", "after": "end", "cells": who}},
					})
					if err != nil {
						t.Error(err)
						return
					}
					res, b, err := city.try("POST", "/reports/"+reports[p]+"/changes", "application/json", bytes.NewReader(body))
					if err != nil {
						lost[p][who["person_id"]] = true
						return
					}
					if res.StatusCode != http.StatusOK {
						t.Errorf("save %d of %d: %d %.200s", n, p, res.StatusCode, b)
						return
					}
					kept[p][who["person_id"]] = true
					begun <- struct{}{}
				}
			})
		}
		for range 3 * people {
			<-begun
		}
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		told := false
		for !told { // at once, while it still serves
			res, _, err := city.try("GET", "/readyz", "", nil)
			if err != nil {
				break
			}
			told = res.StatusCode == http.StatusServiceUnavailable
		}
		if !told {
			t.Error("/readyz did not say that the server stops before it was gone")
		}
		wg.Wait()
		if err := <-streamed; err != nil {
			t.Errorf("the stream of an open sheet was cut: %v", err)
		}
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v\n%s", err, s.log)
		}
		s.done <- nil
		s.start(t)
		city.base = s.url
		for p := range people {
			found := map[string]int{}
			for _, r := range city.sheet(reports[p]).Rows {
				found[r.Values[6]]++
			}
			for id := range kept[p] {
				if found[id] != 1 {
					t.Errorf("report %d: an acknowledged row is there %d times", p, found[id])
				}
				delete(found, id)
			}
			for id := range lost[p] {
				if found[id] != 0 {
					t.Errorf("report %d: a save without an answer was taken", p)
				}
			}
			if len(found) != 0 {
				t.Errorf("report %d: %d rows that nobody saved", p, len(found))
			}
		}
	})
}

// stream opens a stream of events.
func stream(ctx context.Context, t *testing.T, c *client, path string) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", c.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", c.cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", res, err)
	}
	return res.Body
}

// watch reads a stream of events to its end, and tells how that came.
func watch(t *testing.T, c *client, path string) <-chan error {
	t.Helper()
	body := stream(context.Background(), t, c, path)
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, body)
		ended <- errors.Join(err, body.Close())
	}()
	return ended
}

// With a socket that the service manager holds, who comes while the program restarts
// waits, and is answered by the next one.
func TestRestartOnOneSocket(t *testing.T) {
	data := t.TempDir()
	seed(t, data, "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		t.Fatalf("a %T", ln)
	}
	f, err := tcp.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	url := "http://" + ln.Addr().String()
	if err := ln.Close(); err != nil { // the copy stays
		t.Fatal(err)
	}
	life := func() (end func()) {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, program(), "serve", "--data", data, "--addr", "127.0.0.1:1")
		cmd.Env = append(os.Environ(), serveEnv+"=1", "LISTEN_FDS=1")
		cmd.ExtraFiles = []*os.File{f}
		log := &lines{}
		cmd.Stderr = log
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(out)
		for sc.Scan() && !strings.Contains(sc.Text(), "填报服务已启动："+url) {
			continue
		}
		go func() { _, _ = io.Copy(io.Discard, out) }()
		return func() {
			t.Helper()
			if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
				t.Errorf("%v\n%s", err, log)
			}
		}
	}
	ask := func(answers chan<- error) {
		cl := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := cl.Get(url + "/healthz")
		if err == nil {
			err = res.Body.Close()
		}
		answers <- err
	}
	answers := make(chan error, 1)
	end := life()
	go ask(answers)
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	end()
	go ask(answers) // nobody is there
	end = life()
	if err := <-answers; err != nil {
		t.Errorf("who came during the restart got %v", err)
	}
	end()
}
