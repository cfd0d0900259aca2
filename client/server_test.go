package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"tianbao/internal/app"
)

// site is a demonstration server of this process, on a port of this machine, and a token for
// all of it: what the examples and the shell of docs/api.md talk to.
var site struct{ URL, Token string }

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var log bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		none := func(string) string { return "" }
		app.Run(ctx, []string{"serve", "--demo", "--data", dir, "--addr", "127.0.0.1:0"}, none, strings.NewReader(""), in, &log)
		_ = in.Close()
	}()
	defer func() {
		stop()
		<-done
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "填报服务已启动："); ok {
			site.URL = url
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if err := makeToken(ctx); err != nil {
		stop()
		<-done
		fmt.Println("no token:", err, log.String())
		return 1
	}
	return m.Run()
}

// makeToken makes a token as the security administrator of the demonstration does.
func makeToken(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	h := &http.Client{Jar: jar, Timeout: time.Minute}
	csrf := ""
	ask := func(method, path string, body, out any) error {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, method, site.URL+path, bytes.NewReader(b))
		if err != nil {
			return err
		}
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-CSRF-Token", csrf)
		res, err := h.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %s: %d", method, path, res.StatusCode)
		}
		return json.NewDecoder(res.Body).Decode(out)
	}
	var session struct{ CSRF string }
	if err := ask("POST", "/signin", map[string]string{"login": "security", "password": "Tianbao-2022"}, &session); err != nil {
		return err
	}
	if err := ask("GET", "/session", nil, &session); err != nil {
		return err
	}
	csrf = session.CSRF
	var made struct{ Token string }
	err = ask("POST", "/tokens", map[string]string{
		"name": "接口示例", "unit": "100", "verbs": "units.read progress.read rows.read rows.clear", "to": time.Now().AddDate(0, 1, 0).Format(time.DateOnly),
	}, &made)
	site.Token = made.Token
	return err
}
