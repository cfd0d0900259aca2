package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tianbao/internal/app"
	"tianbao/internal/browser"
	"tianbao/internal/demo"
	"tianbao/internal/storetest"
)

var update = flag.Bool("update", false, "take the pictures of the manual anew")

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(app.Run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
	}
	code := browser.Run(m)
	for _, dir := range []string{seeded.dir, seededPostgres.dir, shipped.dir} {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// unlimited is for tests that ask more often than people do; those of the limits say
// --limits themselves.
const unlimited = "signin=1000000,password=1000000,search=1000000,import=1000000,export=1000000,reveal=1000000,activation=1000000,code=1000000"

// product runs a command line of the product.
func product(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program(), args...)
	cmd.Env = append(os.Environ(), serveEnv+"=1", "TIANBAO_LIMITS="+unlimited)
	return cmd
}

// engines runs a test on both engines.
func engines(t *testing.T, f func(t *testing.T, db string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, "") })
	t.Run("postgres", func(t *testing.T) { f(t, storetest.PostgresURL(t)) })
}

// server is a running server.
type server struct {
	url  string
	data string
	args []string
	cmd  *exec.Cmd
	log  *lines
	out  []string // what it printed before it was ready
	more chan string
	// insecure: it speaks TLS with a certificate that nobody signed.
	insecure bool
	exe      string // another program than [program]
	done     chan error
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

func (l *lines) String() string { return string(l.Bytes()) }

// startDemo starts a server with the demonstration's world; db "" is SQLite. The
// world is some minutes old then, as it is wherever a demonstration is started again.
func startDemo(t testing.TB, db string, more ...string) *server {
	t.Helper()
	data := t.TempDir()
	seed(t, data, db)
	return startIn(t, data, db, append(more, "--demo")...)
}

// startIn starts a server on a data folder.
func startIn(t testing.TB, data, db string, more ...string) *server {
	t.Helper()
	return startAs(t, "", data, db, more...)
}

// startAs starts a program on a data folder; "" is [program].
func startAs(t testing.TB, exe, data, db string, more ...string) *server {
	t.Helper()
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data}, more...)
	if db != "" {
		args = append(args, "--db", db)
	}
	s := &server{data: data, args: args, exe: exe}
	s.start(t)
	t.Cleanup(func() {
		s.stop()
		s.judge(t)
	})
	return s
}

func (s *server) start(t testing.TB) {
	t.Helper()
	s.cmd = product(context.Background(), s.args...)
	if s.exe != "" {
		s.cmd.Path = s.exe
	}
	if s.log != nil {
		s.judge(t) // of the one before
	}
	s.log = &lines{}
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 64)
	go func() {
		sc := bufio.NewScanner(stdout)
		for sc.Scan() {
			printed <- sc.Text()
		}
		close(printed)
	}()
	s.done = make(chan error, 1)
	s.out = nil
	deadline := time.After(60 * time.Second)
	for {
		select {
		case line, ok := <-printed:
			if !ok {
				t.Fatalf("the server ended: %v\n%s", s.cmd.Wait(), s.log)
			}
			s.out = append(s.out, line)
			if _, u, ok := strings.Cut(line, "填报服务已启动："); ok {
				s.url, s.more = u, printed
				s.ready(t)
				cmd, done := s.cmd, s.done
				go func() { done <- cmd.Wait() }()
				return
			}
		case <-deadline:
			t.Fatalf("the server did not start\n%s", s.log)
		}
	}
}

// printed returns what the server has printed on standard output by now.
func (s *server) printed(t *testing.T) string {
	t.Helper()
	for {
		select {
		case line, ok := <-s.more:
			if !ok {
				return strings.Join(s.out, "\n")
			}
			s.out = append(s.out, line)
		case <-time.After(300 * time.Millisecond):
			return strings.Join(s.out, "\n")
		}
	}
}

// ready waits until the server answers.
func (s *server) ready(t testing.TB) {
	t.Helper()
	for range 200 {
		cl := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: s.insecure}, DisableKeepAlives: true}}
		res, err := cl.Get(s.url + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the server does not answer /healthz")
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	s.done <- nil
}

// stop ends the server in order.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.done:
		s.done <- err
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// client is a signed-in program.
type client struct {
	t      testing.TB
	base   string
	cookie string
	csrf   string
}

func (s *server) anonymous(t testing.TB) *client { return &client{t: t, base: s.url} }

// client signs in to a demonstration account.
func (s *server) client(t testing.TB, login string) *client {
	t.Helper()
	c := s.anonymous(t)
	if status := c.signIn(login, demo.Password); status != http.StatusOK {
		t.Fatalf("sign in as %s: %d", login, status)
	}
	return c
}

func (c *client) signIn(login, password string) int {
	c.t.Helper()
	var out struct{ CSRF string }
	res, body := c.do("POST", "/signin", "application/json", jsonBody(map[string]string{"login": login, "password": password}))
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, &out); err != nil {
			c.t.Fatal(err)
		}
		c.csrf = out.CSRF
		for _, k := range res.Cookies() {
			if k.Value != "" {
				c.cookie = k.Name + "=" + k.Value
			}
		}
		if password != demo.Password { // an account that a test has made
			c.agree()
		}
	}
	return res.StatusCode
}

func jsonBody(v any) io.Reader {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return bytes.NewReader(b)
}

// do sends a request as a program would; Go's cookie jar keeps Secure cookies off
// http, so the cookie is set by hand.
func (c *client) do(method, path, contentType string, body io.Reader) (*http.Response, []byte) {
	c.t.Helper()
	res, b, err := c.try(method, path, contentType, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, b
}

func (c *client) try(method, path, contentType string, body io.Reader) (*http.Response, []byte, error) {
	req, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", c.cookie)
	}
	if c.csrf != "" && method != "GET" {
		req.Header.Set("X-CSRF-Token", c.csrf)
	}
	cl := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := cl.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, b, err
}

// call sends JSON and decodes the answer; it returns the status.
func (c *client) call(method, path string, in, out any) int {
	c.t.Helper()
	var body io.Reader
	ct := ""
	if in != nil {
		body, ct = jsonBody(in), "application/json"
	}
	res, b := c.do(method, path, ct, body)
	if out != nil && len(b) > 0 {
		if err := json.Unmarshal(b, out); err != nil {
			c.t.Fatalf("%s %s: %d, not JSON: %.200s", method, path, res.StatusCode, b)
		}
	}
	return res.StatusCode
}

// must is call that fails the test unless the answer is 200.
func (c *client) must(method, path string, in, out any) {
	c.t.Helper()
	var raw json.RawMessage
	if status := c.call(method, path, in, &raw); status != http.StatusOK {
		c.t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			c.t.Fatal(err)
		}
	}
}

// upload posts a file with fields.
func (c *client) upload(path, name string, data []byte, fields map[string]string) (*http.Response, []byte) {
	c.t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			c.t.Fatal(err)
		}
	}
	f, err := w.CreateFormFile("file", name)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		c.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.do("POST", path, w.FormDataContentType(), &buf)
}

// The answers that the tests look at.
type (
	reportJSON struct {
		ID        string
		Owner     string
		OwnerName string `json:"owner_name"`
		State     string
		Version   int64
		Rows      int
	}
	rowJSON struct {
		ID     string
		Values []string
	}
	sheetJSON struct {
		Report  reportJSON
		Columns []struct{ Key, Title string }
		Rows    []rowJSON
	}
	receiptJSON struct {
		ID, Number, Digest, At, Kind string
		Rows                         int
		Version                      int64
	}
	savedJSON struct {
		Report   reportJSON
		Receipt  receiptJSON
		Inserted map[string]string
		Again    bool
	}
	errorJSON struct {
		Error struct {
			Code, Message string
			Conflicts     []struct{ Row, Field, Kind, Base, Mine, Theirs, By string }
			Problems      []struct {
				Row                                            string
				Seq                                            int
				Field, Letter, Code, Severity, Message, Reason string
			}
		}
	}
	change map[string]any
)

const campaign = "1001"

// ownReport opens the report of the first unit in the client's scope.
func (c *client) ownReport() reportJSON {
	c.t.Helper()
	var list struct{ Reports []reportJSON }
	c.must("GET", "/reports?campaign="+campaign, nil, &list)
	if len(list.Reports) == 0 {
		c.t.Fatal("no reports in scope")
	}
	return c.open(list.Reports[0].Owner)
}

func (c *client) open(unit string) reportJSON {
	c.t.Helper()
	var r reportJSON
	c.must("POST", "/campaigns/"+campaign+"/reports", map[string]string{"unit": unit}, &r)
	return r
}

func (c *client) sheet(report string) sheetJSON {
	c.t.Helper()
	var s sheetJSON
	c.must("GET", "/reports/"+report, nil, &s)
	return s
}

// save posts a change set under a new key.
func (c *client) save(report string, base int64, changes []change) savedJSON {
	c.t.Helper()
	var out savedJSON
	c.must("POST", "/reports/"+report+"/changes", map[string]any{"key": newKey(), "base": base, "changes": changes}, &out)
	return out
}

// newKey makes idempotency keys.
func newKey() string { return fmt.Sprintf("key-%d", time.Now().UnixNano()) }

// manualPicture is where a picture of the manual lives.
func manualPicture(name string) string { return filepath.Join("..", "docs", "img", name+".png") }
