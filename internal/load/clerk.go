package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"strconv"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/jsontext"
)

// Session is a person's who has signed in.
type Session struct{ cookie, csrf string }

// StatusError is an answer that is no success.
type StatusError struct {
	Status int
	Code   string
	Retry  string // seconds after which one may try again
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("load: answered %d %s", e.Status, e.Code) }

// Shed reports whether the server was too busy to take the request, and said so.
func (e *StatusError) Shed() bool { return (e.Status == 503 || e.Status == 429) && e.Retry != "" }

// Clerk asks on a connection with a session.
type Clerk struct {
	Conn *Conn
	*Session
	keys int
	// Name makes this clerk's keys differ from others'.
	Name string
	// Patience is for how long a request that got no answer, or that the server could not
	// carry out without its database, is sent again as it was, its key included; 0: never.
	Patience time.Duration
	// Repeated counts such requests; it may be nil.
	Repeated *atomic.Int64
}

// repeatAfter is how long a clerk waits before sending again.
const repeatAfter = 200 * time.Millisecond

// patiently sends what the function sends until there is an answer, or patience is over.
func (c *Clerk) patiently(ctx context.Context, send func() (Answer, error)) (Answer, error) {
	end := time.Now().Add(c.Patience)
	for {
		a, err := send()
		if err == nil || c.Patience == 0 || !unanswered(err) || time.Now().After(end) || !sleepUntil(ctx, time.Now().Add(repeatAfter)) {
			return a, err
		}
		if c.Repeated != nil {
			c.Repeated.Add(1)
		}
		c.Conn.elsewhere()
	}
}

// unanswered reports whether what was asked may have happened or not, or could not.
func unanswered(err error) bool {
	var se *StatusError
	return !errors.As(err, &se) || se.Code == "unsure" || se.Code == "database_away"
}

// SignIn signs in and, where it is asked for, agrees to the purpose notice.
func SignIn(ctx context.Context, conn *Conn, login, password string) (*Session, error) {
	c := &Clerk{Conn: conn, Session: &Session{}}
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	a, err := c.ask(ctx, "POST", "/signin", body)
	if err != nil {
		return nil, err
	}
	var in struct{ CSRF string }
	if err := json.Unmarshal(a.Body, &in); err != nil || a.Cookie == "" {
		return nil, fmt.Errorf("load: a sign-in gave no session: %w", err)
	}
	c.cookie, c.csrf = a.Cookie, in.CSRF
	if a, err = c.ask(ctx, "GET", "/purpose", nil); err != nil {
		return nil, err
	}
	var notice struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(a.Body, &notice); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	_, err = c.ask(ctx, "POST", "/purpose/agreement", fmt.Appendf(nil, `{"version":%d}`, notice.Version))
	return c.Session, err
}

// ask sends a request of the session.
func (c *Clerk) ask(ctx context.Context, method, path string, body []byte) (Answer, error) {
	return c.send(ctx, method, path, "application/json", body)
}

func (c *Clerk) send(ctx context.Context, method, path, kind string, body []byte) (Answer, error) {
	return c.patiently(ctx, func() (Answer, error) { return c.once(ctx, method, path, kind, body) })
}

func (c *Clerk) once(ctx context.Context, method, path, kind string, body []byte) (Answer, error) {
	h := make([]Header, 0, 5)
	h = append(h, Header{"Accept", "application/json"})
	if c.cookie != "" {
		h = append(h, Header{"Cookie", c.cookie})
	}
	if method != "GET" {
		h = append(h, Header{"Content-Type", kind}, Header{"X-CSRF-Token", c.csrf}, Header{"Sec-Fetch-Site", "same-origin"})
	}
	a, err := c.Conn.Do(ctx, method, path, body, h...)
	if err != nil || a.Status < 300 {
		return a, err
	}
	return a, &StatusError{Status: a.Status, Retry: a.Retry, Code: string(field(a.Body, `"code":"`, '"'))}
}

// field returns what stands in an answer between a name and the byte that ends its value: to
// read all of it would take the server beside it more time than the answer did.
func field(body []byte, name string, end byte) []byte {
	_, rest, found := bytes.Cut(body, []byte(name))
	at := bytes.IndexByte(rest, end)
	if !found || at < 0 {
		return nil
	}
	return rest[:at]
}

// Sheet is a report that a clerk has open.
type Sheet struct {
	ID      string
	Version int64
}

// Open opens a unit's report.
func (c *Clerk) Open(ctx context.Context, unit tianbao.ID) (*Sheet, error) {
	a, err := c.ask(ctx, "POST", "/campaigns/"+Campaign.String()+"/reports", fmt.Appendf(nil, `{"unit":%q}`, unit))
	if err != nil {
		return nil, err
	}
	return sheetOf(a.Body, new(Sheet))
}

func sheetOf(body []byte, s *Sheet) (*Sheet, error) {
	var out struct {
		ID      string `json:"id"`
		Version int64  `json:"version"`
	}
	if err := json.Unmarshal(body, &out); err != nil || out.ID == "" {
		return nil, fmt.Errorf("load: an answer names no report: %w", err)
	}
	s.ID, s.Version = out.ID, out.Version
	return s, nil
}

// View reads the sheet with its rows.
func (c *Clerk) View(ctx context.Context, s *Sheet) error {
	_, err := c.ask(ctx, "GET", "/reports/"+s.ID, nil)
	return err
}

// changes is a change set that adds rows at the end.
func changes(b []byte, head string, s *Sheet, rows []Row) []byte {
	b = append(b, head...)
	b = append(strconv.AppendInt(append(b, `"base":`...), s.Version, 10), `,"changes":[`...)
	fields := Fields()
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, `{"op":"insert","temp":"t`...), int64(i), 10), `","after":"end","cells":{`...)
		first := true
		for k, v := range rows[i].Cells {
			if v == "" {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(jsontext.Append(b, fields[k]), ':')
			b = jsontext.Append(b, v)
		}
		b = append(b, "}}"...)
	}
	return append(b, "]}"...)
}

func (c *Clerk) key() string {
	c.keys++
	return c.Name + "-" + strconv.Itoa(c.keys)
}

// Save is 提交: it adds rows to the sheet.
func (c *Clerk) Save(ctx context.Context, s *Sheet, rows []Row) error {
	return c.sendSaving(ctx, s, c.saving(s, rows))
}

// saving is what Save sends.
func (c *Clerk) saving(s *Sheet, rows []Row) []byte {
	return changes(make([]byte, 0, 256+512*len(rows)), `{"key":"`+c.key()+`",`, s, rows)
}

// sendSaving sends what saving made.
func (c *Clerk) sendSaving(ctx context.Context, s *Sheet, body []byte) error {
	a, err := c.ask(ctx, "POST", "/reports/"+s.ID+"/changes", body)
	if err != nil {
		return err
	}
	if s.Version, err = strconv.ParseInt(string(field(a.Body, `"version":`, ',')), 10, 64); err != nil {
		return fmt.Errorf("load: the answer to a submit: %w", err)
	}
	return nil
}

// Check is 数据校验 of the rows that are not saved yet.
func (c *Clerk) Check(ctx context.Context, s *Sheet, rows []Row) error {
	_, err := c.ask(ctx, "POST", "/reports/"+s.ID+"/check", changes(nil, "{", s, rows))
	return err
}

// Draft keeps the rows that are not saved yet, as the page does while somebody types.
func (c *Clerk) Draft(ctx context.Context, s *Sheet, rows []Row, at string) error {
	head := fmt.Sprintf(`{"name":"d%s","since":%q,"edited":%q,"page":"p%s",`, s.ID, at, at, s.ID)
	_, err := c.ask(ctx, "PUT", "/reports/"+s.ID+"/draft", changes(nil, head, s, rows))
	return err
}

// Report is 上报.
func (c *Clerk) Report(ctx context.Context, s *Sheet) error {
	_, err := c.ask(ctx, "POST", "/reports/"+s.ID+"/submission", []byte(`{"key":"`+c.key()+`"}`))
	return err
}

// Import saves a workbook's rows.
func (c *Clerk) Import(ctx context.Context, s *Sheet, book []byte) error {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range [][2]string{{"mode", "append"}, {"action", "save"}, {"key", c.key()}} {
		if err := w.WriteField(f[0], f[1]); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	f, err := w.CreateFormFile("file", "load.xlsx")
	if err == nil {
		_, err = f.Write(book)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	_, err = c.send(ctx, "POST", "/reports/"+s.ID+"/imports", w.FormDataContentType(), b.Bytes())
	return err
}

// Progress reads the figures of the collection.
func (c *Clerk) Progress(ctx context.Context) error {
	_, err := c.ask(ctx, "GET", "/collections/"+Campaign.String()+"/progress", nil)
	return err
}

// Find looks for units by a part of their name or code and returns how many there were.
func (c *Clerk) Find(ctx context.Context, text string) (int, error) {
	a, err := c.ask(ctx, "POST", "/units/search", fmt.Appendf(nil, `{"q":%q}`, text))
	if err != nil {
		return 0, err
	}
	var out struct {
		Units []struct{} `json:"units"`
	}
	if err := json.Unmarshal(a.Body, &out); err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	return len(out.Units), nil
}
