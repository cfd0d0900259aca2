package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/web/ui"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages holds one template set a language and page, each on the common layout. A set is
// parsed when its page is first asked for: all of them take longer than the rest of a
// start. That each parses and fits its data is held by a test.
type pages struct {
	sets map[string]map[string]func() (*template.Template, error)
}

// newPages lists every page of templates/, in each language.
func newPages() (*pages, error) {
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("web: list templates: %w", err)
	}
	hashes, err := ui.Hashes()
	if err != nil {
		return nil, err
	}
	p := &pages{sets: make(map[string]map[string]func() (*template.Template, error))}
	for lang, load := range map[string]func() (*words, error){
		langChinese: func() (*words, error) { return nil, nil }, //nolint:nilnil // what the templates say themselves
		langEnglish: sync.OnceValues(func() (*words, error) { return loadWords(langEnglish) }),
	} {
		p.sets[lang] = make(map[string]func() (*template.Template, error))
		for _, e := range entries {
			if e.Name() == "layout.html" {
				continue
			}
			p.sets[lang][e.Name()] = sync.OnceValues(func() (*template.Template, error) {
				w, err := load()
				if err != nil {
					return nil, err
				}
				t, err := parsePage(e.Name(), w, hashes)
				if err != nil {
					return nil, fmt.Errorf("web: in %s: %w", lang, err)
				}
				return t, nil
			})
		}
	}
	return p, nil
}

func parsePage(page string, w *words, hashes map[string]string) (*template.Template, error) {
	t := template.New("layout.html").Funcs(funcs(hashes, w))
	for _, name := range []string{"layout.html", page} {
		src, err := templateFiles.ReadFile("templates/" + name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if _, err := t.Parse(w.template(name, string(src))); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
	}
	return t, nil
}

// funcs are the helpers of templates in a language; hashes are the content hashes of
// the site's files.
func funcs(hashes map[string]string, w *words) template.FuncMap {
	if w != nil {
		const day = "2 January 2006"
		return template.FuncMap{
			"t":      w.text,
			"day":    func(t time.Time) string { return t.In(clock.Shanghai).Format(day) },
			"minute": func(t time.Time) string { return t.In(clock.Shanghai).Format(day + " 15:04") },
			"second": func(t time.Time) string { return t.In(clock.Shanghai).Format(day + " 15:04:05") },
			"iso":    stamp,
			"size":   func(n int64) string { return w.text(humanSize(n)) },
			"until":  func(t time.Time) string { return until(t, day) },
			"asset":  func(name string) string { return "/ui/" + name + "?v=" + hashes[name] },
		}
	}
	return template.FuncMap{
		"t":      func(s string) string { return s },
		"day":    func(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日") },
		"minute": func(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日 15:04") },
		"second": func(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日 15:04:05") },
		"iso":    stamp,
		"size":   humanSize,
		"until":  func(t time.Time) string { return until(t, "2006年1月2日") },
		"asset":  func(name string) string { return "/ui/" + name + "?v=" + hashes[name] },
	}
}

// until writes a deadline: the midnight at which a day ends is that day's 24:00, as
// notices put it.
func until(t time.Time, day string) string {
	t = t.In(clock.Shanghai)
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.AddDate(0, 0, -1).Format(day) + " 24:00"
	}
	return t.Format(day + " 15:04")
}

func humanSize(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " 字节"
	case n < 1<<20:
		return strconv.FormatInt((n+1023)>>10, 10) + " KB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
}

// layout is what layout.html shows around every page.
type layout struct {
	Title   string
	Lang    string // of the page
	Here    string // path of the page, "" where it cannot be asked for again
	Body    string // class of <body>
	Main    string // class of <main>
	Section string // the part of the main menu that is current: home, reports, notices, help, users
	User    tianbao.User
	Unit    string
	CSRF    string
	Bell    int    // reminders that nobody at the viewer's unit has read
	Pending bool   // something is to be done first: no menu
	Unread  int    // notices and answers to be read
	Script  string // the page's script
	Version string
	Page    any
}

// page renders a page into a buffer and then sends it, so that a failing template
// gives an error and never half a page.
func (s *Server) page(w http.ResponseWriter, r *http.Request, v *viewer, status int, name, title string, data any) {
	lang := language(r)
	l := layout{Title: title, Lang: lang, Body: "page", Main: "main", Section: section(name), User: v.user(), Version: s.Version, Page: data}
	switch name {
	case "signin.html", "setup.html", "activate.html", "verify.html":
		l.Body, l.Main = "page page-sign", "sign"
	case "sheet.html":
		l.Body, l.Main, l.Script = "page page-full", "main main-full", "form.js"
	case "across.html":
		l.Body, l.Main, l.Script = "page page-full", "main main-full", "across.js"
	case "receipt.html", "notice.html", "noticeedit.html", "noticeversions.html", "question.html", "help.html", "password.html", "reveal.html", "export.html", "purpose.html", "purposes.html", "error.html", "factor.html", "recovery.html", "sessions.html", "keys.html":
		l.Main = "main main-narrow"
		if name == "receipt.html" {
			l.Script = "form.js"
		}
	}
	switch name {
	case "signin.html", "verify.html", "keys.html":
		if s.passkeyOrigin() != "" {
			l.Script = "passkey.js"
		}
	}
	switch name {
	case "progress.html":
		l.Script = "progress.js"
	case "screen.html":
		l.Body, l.Main, l.Script = "page page-screen", "main main-screen", "progress.js"
	}
	if r.Method == http.MethodGet {
		l.Here = r.URL.RequestURI()
	}
	l.Unread = s.unread(r, v)
	if v.signed != nil {
		l.CSRF, l.Pending = v.signed.CSRF, v.signed.Pending != ""
		if !l.Pending {
			l.Bell = s.bell(r, v)
		}
		for _, g := range l.User.Grants {
			if g.UnitName != "" {
				l.Unit = g.UnitName
				break
			}
		}
	}
	var buf bytes.Buffer
	set := s.pages.sets[lang][name]
	if set == nil {
		s.Log.Error("no such page", "page", name)
		http.Error(w, internalText, http.StatusInternalServerError)
		return
	}
	t, err := set()
	if err != nil {
		s.Log.Error("page does not parse", "page", name, "err", err)
		http.Error(w, internalText, http.StatusInternalServerError)
		return
	}
	if err := t.Execute(&buf, &l); err != nil {
		s.Log.Error("page failed", "page", name, "err", err)
		http.Error(w, internalText, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lang)
	w.Header().Set("Vary", "Accept, Accept-Language, Cookie")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = buf.WriteTo(w) // the client is gone if it fails
	}
}

func section(name string) string {
	switch name {
	case "home.html":
		return "home"
	case "reports.html", "sheet.html", "history.html", "undo.html", "plan.html", "receipt.html", "receipts.html", "across.html", "filled.html", "confirm.html", "registers.html", "roster.html", "register.html", "life.html", "phonework.html", "phones.html":
		return "reports"
	case "notices.html", "notice.html", "noticeedit.html", "noticereaders.html", "noticeversions.html", "questions.html", "question.html":
		return "notices"
	case "help.html":
		return "help"
	case "grants.html", "tokens.html", "newtoken.html":
		return "grants"
	case "lending.html":
		return "lending"
	case "units.html", "unit.html", "unitload.html", "requests.html", "regions.html":
		return "units"
	case "collections.html", "collection.html", "rehearsal.html", "remind.html", "remindpreview.html", "remindlog.html", "progress.html", "screen.html", "standings.html", "course.html", "certificates.html", "certificate.html", "forms.html", "form.html", "formdraft.html":
		return "collections"
	case "audit.html":
		return "audit"
	case "activation.html", "slips.html":
		return "activation"
	case "reviews.html", "review.html", "reviewunit.html", "reasons.html":
		return "review"
	case "webhooks.html", "webhook.html", "newwebhook.html", "platform.html", "accountplan.html", "planexport.html", "platformdrift.html":
		return "platform"
	case "compare.html", "compareline.html", "comparelists.html", "comparewait.html", "compareunits.html", "comparedoubles.html":
		return "collections"
	case "declarations.html":
		return "collections"
	case "users.html", "newpassword.html":
		return "users"
	}
	return ""
}

// answer sends a resource: JSON to a program, the page to a browser.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, v *viewer, out any, name, title string, data any) error {
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, out)
	}
	s.page(w, r, v, http.StatusOK, name, title, data)
	return nil
}

// done answers an act: JSON to a program, a redirect to a browser.
func (s *Server) done(w http.ResponseWriter, r *http.Request, out any, location string) error {
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, out)
	}
	http.Redirect(w, r, location, http.StatusSeeOther)
	return nil
}

func (s *Server) json(w http.ResponseWriter, status int, out any) error {
	var body []byte
	var err error
	if own, ok := out.(appender); ok {
		body, err = own.appendJSON(nil)
	} else {
		body, err = encoded(out)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Vary", "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if it fails
	return nil
}

// read fills in from the request: JSON or a form, by the content type. A field
// that the type does not have is refused, so that nothing is assigned by accident.
func read(r *http.Request, in any) error {
	ct, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch ct {
	case "application/json":
		dec := json.NewDecoder(r.Body)
		dec.DisallowUnknownFields()
		if err := dec.Decode(in); err != nil {
			return badBody(err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return badBody(err)
		}
		return nil
	case "application/x-www-form-urlencoded", "multipart/form-data":
		if err := r.ParseForm(); err != nil {
			return badBody(err)
		}
		return readForm(r.PostForm, in)
	case "":
		return nil
	}
	return tianbao.Invalid("bad_type", "请求的内容类型无法识别，请用 JSON 或表单提交。")
}

func badBody(err error) error {
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return err
	}
	return &tianbao.Error{Kind: tianbao.ErrInvalid, Code: "bad_body", Message: "请求的内容无法识别，请刷新页面后重试。", Err: errors.New("undecodable body")}
}

// readForm sets the fields of a struct by their JSON names.
func readForm(form url.Values, in any) error {
	v := reflect.ValueOf(in).Elem()
	known := map[string]bool{"csrf": true}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		known[name] = true
		text := form.Get(name)
		if !utf8.ValidString(text) {
			return badBody(nil)
		}
		switch f := v.Field(i); p := f.Addr().Interface().(type) {
		case *string:
			*p = text
		case *bool:
			*p = text == "true" || text == "on" || text == "1"
		case *tianbao.ID:
			if err := p.UnmarshalText([]byte(text)); err != nil {
				return badBody(err)
			}
		default: // numbers and lists come as JSON
			if f.Kind() == reflect.String { // a text of a type of its own, such as a phase
				f.SetString(text)
				continue
			}
			if text == "" {
				continue
			}
			dec := json.NewDecoder(strings.NewReader(text))
			dec.DisallowUnknownFields()
			if err := dec.Decode(p); err != nil {
				return badBody(err)
			}
		}
	}
	for name := range form {
		if !known[name] {
			return badBody(nil)
		}
	}
	return nil
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// disposition is the Content-Disposition of a download with a Chinese name
// (RFC 6266): ASCII for old clients, UTF-8 for the others.
func disposition(name string) string {
	name = plainName(name)
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7e || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// plainName makes a name that some sender chose one of a file in a folder of whoever
// saves it: no way to another folder, no stream, no control or direction characters, and
// short enough for any disk.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError || strings.ContainsRune(`"\/:*?<>|`, r) {
			return '_'
		}
		return r
	}, name)
	const start, end = 56, 20 // 76 characters of up to 3 bytes: under the 255 bytes of disks
	if rs := []rune(name); len(rs) > start+end {
		name = string(rs[:start]) + string(rs[len(rs)-end:])
	}
	if strings.HasPrefix(name, ".") {
		name = "_" + name[1:]
	}
	return name
}
