package web

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tianbao/internal/web/ui"
)

// Chinese is the language the pages are written in; English is looked up from it in
// the catalogue of internal/web/ui/words, which docs/adr/0014 explains.
const (
	langChinese = "zh-CN"
	langEnglish = "en"
)

// langCookie remembers the language that somebody chose.
const langCookie = "__Host-tianbao-lang"

// words is a second language of the interface: its sentences by the Chinese ones. A
// nil *words is Chinese.
type words struct {
	pages    map[string]string // pieces of templates, some of one template only
	messages map[string]string // whole sentences
	patterns []pattern
}

// pattern is a sentence with places.
type pattern struct {
	from  *regexp.Regexp
	first string // what the sentence begins with, a quick no
	names []string
	to    string
}

var (
	// piece is a run of Chinese text in a template, between its tags and actions.
	piece = regexp.MustCompile(`[^<>"{}\n]*[\p{Han}（）。，：；“”][^<>"{}\n]*`)
	hole  = regexp.MustCompile(`\{(\w+)\}`)
)

func loadWords(lang string) (*words, error) {
	w := &words{}
	var err error
	if w.pages, err = ui.Words(lang, "pages"); err != nil {
		return nil, err
	}
	if w.messages, err = ui.Words(lang, "messages"); err != nil {
		return nil, err
	}
	for from, to := range w.messages {
		if !hole.MatchString(from) {
			continue
		}
		p := pattern{to: to}
		var re strings.Builder
		at := 0
		for _, m := range hole.FindAllStringSubmatchIndex(from, -1) {
			if at == 0 {
				p.first = from[:m[0]]
			}
			re.WriteString(regexp.QuoteMeta(from[at:m[0]]) + "(.*?)")
			p.names, at = append(p.names, from[m[2]:m[3]]), m[1]
		}
		p.from, err = regexp.Compile(`(?s)^` + re.String() + regexp.QuoteMeta(from[at:]) + `$`)
		if err != nil {
			return nil, err
		}
		w.patterns = append(w.patterns, p)
	}
	// The more a pattern says of itself, the earlier it is tried.
	slices.SortFunc(w.patterns, func(a, b pattern) int {
		return cmp.Or(len(b.from.String())-len(a.from.String()), cmp.Compare(a.from.String(), b.from.String()))
	})
	return w, nil
}

// text returns a sentence in the other language, or as it is: what has no entry is
// data, such as the title of a form.
func (w *words) text(s string) string {
	if w == nil || s == "" {
		return s
	}
	if to, ok := w.messages[s]; ok {
		return to
	}
	for i := range w.patterns {
		p := &w.patterns[i]
		if !strings.HasPrefix(s, p.first) {
			continue
		}
		m := p.from.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		pairs := make([]string, 0, 2*len(p.names))
		for k, name := range p.names {
			pairs = append(pairs, "{"+name+"}", w.text(m[k+1]))
		}
		return strings.NewReplacer(pairs...).Replace(p.to)
	}
	return s
}

// template writes a template in the other language: each piece of Chinese text by
// its entry, for this very file before the general one.
func (w *words) template(name, src string) string {
	if w == nil {
		return src
	}
	return piece.ReplaceAllStringFunc(src, func(run string) string {
		key := strings.TrimSpace(run)
		to, ok := w.pages[name+"|"+key]
		if !ok {
			if to, ok = w.pages[key]; !ok {
				return run
			}
		}
		return strings.Replace(run, key, to, 1)
	})
}

// language tells in which language a request wants its page: as chosen; else Chinese,
// unless the browser takes no Chinese but English.
func language(r *http.Request) string {
	if c, err := r.Cookie(langCookie); err == nil {
		if c.Value == langEnglish {
			return langEnglish
		}
		return langChinese
	}
	english := false
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, q, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), ";")
		if q = strings.ReplaceAll(q, " ", ""); q == "q=0" || strings.HasPrefix(q, "q=0.0") && strings.Trim(q, "q=.0") == "" {
			continue
		}
		tag, _, _ = strings.Cut(tag, "-")
		switch tag {
		case "zh", "*":
			return langChinese
		case "en":
			english = true
		}
	}
	if english {
		return langEnglish
	}
	return langChinese
}

// setLanguage remembers the language somebody chose, in a cookie.
func (s *Server) setLanguage(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	var in wireLanguage
	if err := read(r, &in); err != nil {
		return err
	}
	lang := langChinese
	if in.Lang == langEnglish {
		lang = langEnglish
	}
	http.SetCookie(w, &http.Cookie{
		Name: langCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return s.done(w, r, wireDone{true}, localPath(in.Next))
}
