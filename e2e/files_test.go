package e2e

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// SEC-01: on every route with every method, signed in or not, a cookie that is set is
// bound to this host, for https, out of reach of scripts and of other sites.
func TestSEC01CookiesOnEveryRoute(t *testing.T) {
	s := startDemo(t, "")
	seen := 0
	for path, methods := range s.anonymous(t).specification().Paths {
		p := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
		for method := range methods {
			if method == "get" && strings.HasSuffix(path, "/events") {
				continue // 404 for these; the stream itself does not end
			}
			for _, who := range []string{"", "unit", "admin", "audit"} {
				c := s.anonymous(t)
				body := "{}"
				if who != "" && (path == "/signout" || path == "/password" || path == "/language" || path == "/signin") {
					c = s.client(t, who)
				} else if who != "" {
					continue // what sets no cookie for strangers sets none for others; kept short
				}
				if path == "/signin" && who != "" {
					body = `{"login":"` + who + `","password":"Demo-2022-wrong"}`
				}
				res, _ := c.do(strings.ToUpper(method), p, "application/json", strings.NewReader(body))
				for _, k := range res.Cookies() {
					seen++
					if !strings.HasPrefix(k.Name, "__Host-") || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite != http.SameSiteLaxMode && k.SameSite != http.SameSiteStrictMode {
						t.Errorf("%s %s sets %v", method, path, k)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no route sets a cookie; the test looks at nothing")
	}
}

// SEC-40: 60 names of files, among them climbs, devices, hidden directions and very long
// ones: nothing is written under them, and what goes out names a plain file.
func TestSEC40FileNames(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.save(rep.ID, rep.Version, inserts(0, 2))
	book := c.export(rep.ID)
	names := []string{
		"../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "C:\\a.xlsx", "\\\\host\\share\\a.xlsx", "....//....//a.xlsx", "..%2f..%2fa.xlsx", "%2e%2e%2fa.xlsx",
		"CON", "PRN.xlsx", "AUX.xlsx", "NUL.xlsx", "COM1.xlsx", "LPT1.xlsx", "a.xlsx:stream", "a.xlsx::$DATA", "CLOCK$", "con.xlsx.exe",
		"\u202excod.xlsx", "\u2066a\u2069.xlsx", "\u200ba.xlsx", "\ufeffa.xlsx", "a\u2028b.xlsx", "е\u0301.xlsx", "Ａ．ｘｌｓｘ", "🀄️.xlsx", "采集表.xlsx", "採集表（最終）.xlsx",
		"a\x00.xlsx", "a\r\nX-Injected: 1.xlsx", "a\nb.xlsx", "a\tb.xlsx", "a\x7f.xlsx", "a\x1b[31m.xlsx", "\xff\xfe.xlsx", "a\"b.xlsx", "a'b.xlsx", "a;b=c.xlsx", "a`id`.xlsx", "$(id).xlsx", "|id.xlsx", "-rf.xlsx", "--output=x.xlsx", "~root.xlsx",
		"<script>.xlsx", "a&b.xlsx", "a?b.xlsx", "a*b.xlsx", "a#b.xlsx", ".", "..", ".htaccess", ".xlsx", " ", " a.xlsx ", "a.xlsx.", "a..xlsx",
		strings.Repeat("长", 100) + ".xlsx", strings.Repeat("a", 300) + ".xlsx", strings.Repeat("a/", 150) + "b.xlsx",
	}
	if len(names) < 60 {
		t.Fatalf("%d names", len(names))
	}
	before := listing(t, s.data)
	for _, name := range names {
		res, b := c.upload("/reports/"+rep.ID+"/imports", name, book, map[string]string{"mode": "merge"})
		if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d %.200s", name, res.StatusCode, b)
		}
		if res.Header.Get("X-Injected") != "" {
			t.Errorf("%q puts a header in", name)
		}
		// The annotated copy goes back under a name made from it.
		res, _ = c.upload("/reports/"+rep.ID+"/imports", name, book, map[string]string{"mode": "merge", "action": "annotate"})
		d := res.Header.Get("Content-Disposition")
		if d == "" {
			continue
		}
		_, p, err := mime.ParseMediaType(d)
		if err != nil || strings.ContainsAny(p["filename"], "/\\\r\n\x00\u202e\"") || len(p["filename"]) > 255 {
			t.Errorf("%q goes out as %q (%v)", name, d, err)
		}
	}
	if after := listing(t, s.data); after != before {
		t.Errorf("files came:\n%s\nbefore:\n%s", after, before)
	}
}

// listing names the files under a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	var walk func(dir string)
	walk = func(dir string) {
		es, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			names = append(names, dir+"/"+e.Name())
			if e.IsDir() {
				walk(dir + "/" + e.Name())
			}
		}
	}
	walk(dir)
	return strings.Join(names, "\n")
}

// SEC-36: the content decides, not the name: 30 sorts of files that are no sheet are
// refused under the name of a workbook, with one sentence, and nothing changes.
func TestSEC36WrongTypes(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	if _, err := zw.Write(bytes.Repeat([]byte("a"), 4096)); err != nil || zw.Close() != nil {
		t.Fatal(err)
	}
	wrong := map[string][]byte{
		"ELF": append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 500)...), "PE": append([]byte("MZ\x90\x00"), make([]byte, 500)...), "Mach-O": append([]byte("\xcf\xfa\xed\xfe"), make([]byte, 500)...),
		"PDF": []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"), "PNG": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "JPEG": []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), "GIF": []byte("GIF89a\x01\x00\x01\x00"),
		"BMP": append([]byte("BM"), make([]byte, 100)...), "TIFF": append([]byte("II*\x00"), make([]byte, 100)...), "WebP": []byte("RIFF\x24\x00\x00\x00WEBPVP8 "), "WAV": []byte("RIFF\x24\x00\x00\x00WAVEfmt "),
		"MP3": append([]byte("ID3\x03\x00"), make([]byte, 200)...), "MP4": []byte("\x00\x00\x00\x18ftypmp42\x00\x00"), "gzip": z.Bytes(), "bzip2": []byte("BZh91AY&SY\x00\x00"), "xz": []byte("\xfd7zXZ\x00\x00\x04"),
		"7z": []byte("7z\xbc\xaf\x27\x1c\x00\x04"), "RAR": []byte("Rar!\x1a\x07\x01\x00"), "tar": append(append([]byte("a.txt"), make([]byte, 252)...), []byte("ustar\x0000")...),
		"SQLite": append([]byte("SQLite format 3\x00"), make([]byte, 500)...), "class": []byte("\xca\xfe\xba\xbe\x00\x00\x00\x41"), "RTF": []byte(`{\rtf1\ansi text}`), "script": []byte("#!/bin/sh\nid\n"),
		"empty": {}, "zeros": make([]byte, 4096), "docx": workbook(t, "word/document.xml", "<document/>"), "plain zip": zipOf(t, map[string]string{"a.txt": "x"}), "jar": zipOf(t, map[string]string{"META-INF/MANIFEST.MF": "Main-Class: x"}),
		"empty zip": zipOf(t, nil), "svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "json": []byte(`{"a":1}`), "mail": []byte("From: a\r\nTo: b\r\nSubject: c\r\n\r\nbody\r\n"),
		"doc": append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 1024)...),
	}
	if len(wrong) < 30 {
		t.Fatalf("%d types", len(wrong))
	}
	for name, data := range wrong {
		res, b := c.upload("/reports/"+rep.ID+"/imports", "名册.xlsx", data, map[string]string{"mode": "replace", "action": "save", "confirm": "true", "key": newKey()})
		var e errorJSON
		if err := json.Unmarshal(b, &e); err != nil || res.StatusCode < 400 || res.StatusCode >= 500 || !strings.HasSuffix(e.Error.Message, "。") {
			t.Errorf("%s: %d %.200s", name, res.StatusCode, b)
		}
	}
	if got := c.sheet(rep.ID).Report.Version; got != rep.Version {
		t.Errorf("version %d, want %d", got, rep.Version)
	}
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if text == "" { // a compressor for each of very many took a minute
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// SEC-37: 40 bombs in every part of a workbook, one after the other and some at once:
// each is refused, the server's memory grows by less than 256 MB, and it goes on.
func TestSEC37FortyBombs(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.upload("/reports/"+rep.ID+"/imports", "a.csv", []byte("x"), nil)
	before := s.peakMemory(t)
	const ns = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	big := func(open, unit, end string, mb int) swollen {
		return swollen{open, strings.Repeat(unit, max(1, (1<<20)/len(unit))), mb, end}
	}
	const sheet, stringsPart, styles = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
	var bombs [][]byte
	// A part other than the sheet is one that the sheet refers to.
	whole := map[string]string{
		sheet:                        "<worksheet " + ns + "><sheetData><row><c t=\"s\" s=\"1\"><v>0</v></c></row></sheetData></worksheet>",
		"xl/_rels/workbook.xml.rels": strings.Replace(parts["xl/_rels/workbook.xml.rels"], "</Relationships>", `<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`, 1),
	}
	add := func(part string, content swollen) {
		if part == sheet {
			bombs = append(bombs, zipped(t, part, content))
		} else {
			bombs = append(bombs, zipped(t, part, content, whole))
		}
	}
	sizes := []int{100, 200, 400}
	if raceDetector { // packing them here is some ten times slower
		sizes = []int{20, 40, 80}
	}
	for _, mb := range sizes {
		add(sheet, big("<worksheet "+ns+"><sheetData>", "<row><c><v>1</v></c></row>", "</sheetData></worksheet>", mb))
		add(sheet, big("<worksheet "+ns+"><sheetData><row><c t=\"inlineStr\"><is><t>", "a", "</t></is></c></row></sheetData></worksheet>", mb))
		add(sheet, big("<worksheet "+ns+"><sheetData><row>", "<c/>", "</row></sheetData></worksheet>", mb))
		add(sheet, big("<worksheet "+ns+"><sheetData>", "<row/>", "</sheetData></worksheet>", mb))
		add(sheet, big("<worksheet "+ns+">", "<a>", "", mb))
		add(sheet, big("<worksheet "+ns+"><!--", "a", "--></worksheet>", mb))
		add(sheet, big("<worksheet "+ns+"><sheetData a=\"", "a", "\"/></worksheet>", mb))
		add(stringsPart, big("<sst "+ns+">", "<si><t>a</t></si>", "</sst>", mb))
		add(stringsPart, big("<sst "+ns+"><si><t>", "a", "</t></si></sst>", mb))
		add(stringsPart, big("<sst "+ns+"><si>", "<r><t>a</t></r>", "</si></sst>", mb))
		add(styles, big("<styleSheet "+ns+"><cellXfs>", "<xf/>", "</cellXfs></styleSheet>", mb))
	}
	for _, row := range []string{
		`<row r="4294967296"><c r="A1"><v>1</v></c></row>`, `<row r="1048577"><c><v>1</v></c></row>`, `<row r="-1"><c><v>1</v></c></row>`, `<row><c r="ZZZZZZZZZ1"><v>1</v></c></row>`,
		`<row><c r="A99999999999999999999"><v>1</v></c></row>`, `<row><c s="4294967295"><v>1</v></c></row>`, `<row><c t="s"><v>99999999999</v></c></row>`,
	} {
		add(sheet, swollen{open: "<worksheet " + ns + "><sheetData>" + row + "</sheetData></worksheet>"})
	}
	many := map[string]string{}
	for i := range 70_000 {
		many[fmt.Sprint("x/", i)] = ""
	}
	bombs = append(bombs, zipOf(t, many))
	add(sheet, swollen{open: `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet><sheetData><row><c><v>&c;</v></c></row></sheetData></worksheet>`})
	if len(bombs) < 40 {
		t.Fatalf("%d bombs", len(bombs))
	}
	for i, b := range bombs {
		start := time.Now()
		res, body := c.upload("/reports/"+rep.ID+"/imports", "bomb.xlsx", b, map[string]string{"mode": "replace"})
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("bomb %d: %d %.200s", i, res.StatusCode, body)
		}
		t.Logf("bomb %2d, %7d bytes: %d after %v", i, len(b), res.StatusCode, time.Since(start).Round(time.Millisecond))
	}
	if mb := s.peakMemory(t) - before; mb > 256 {
		t.Errorf("memory grew by %d MB", mb)
	} else {
		t.Logf("memory grew by %d MB", mb)
	}
	if got := c.call("GET", "/session", nil, nil); got != http.StatusOK {
		t.Errorf("afterwards: %d", got)
	}
}
