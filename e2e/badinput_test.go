package e2e

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Each broken, foreign or hostile file gets one clear Chinese sentence within a
// second, changes nothing, and does not make the server grow over 300 MB.
func TestBadFiles(t *testing.T) {
	s := startDemo(t, "")
	c := s.client(t, "unit")
	rep := c.ownReport()
	c.save(rep.ID, 0, inserts(0, 2))
	files := map[string][]byte{
		"bomb.xlsx":   bomb(t, 40<<20),
		"40-MB.xlsx":  append(bomb(t, 1<<20), make([]byte, 40<<20)...),
		"deep.xlsx":   workbook(t, "xl/worksheets/sheet1.xml", "<worksheet>"+strings.Repeat("<a>", 200_000)),
		"huge.xlsx":   workbook(t, "xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="4294967296"><c r="ZZZZZZZ1"><v>1</v></c></row></sheetData></worksheet>`),
		"xxe.xlsx":    workbook(t, "xl/worksheets/sheet1.xml", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row><c t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>`),
		"picture.csv": {0x89, 'P', 'N', 'G', 0, 1, 2, 3},
	}
	samples, err := filepath.Glob("../internal/sheet/testdata/samples/s16-*")
	if err != nil || len(samples) < 5 {
		t.Fatalf("samples: %v %v", samples, err)
	}
	for _, p := range samples {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = b
	}
	for name, data := range files {
		start := time.Now()
		res, b := c.upload("/reports/"+rep.ID+"/imports", name, data, map[string]string{"mode": "replace"})
		took := time.Since(start)
		if strings.HasSuffix(name, "-html-disguised.xls") && res.StatusCode == http.StatusOK {
			continue // read, which is as good
		}
		var e errorJSON
		if err := json.Unmarshal(b, &e); err != nil || res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%s: %d %.200s", name, res.StatusCode, b)
			continue
		}
		m := e.Error.Message
		if strings.Count(m, "。") != 1 || !strings.HasSuffix(m, "。") || utf8.RuneCountInString(m) < 10 {
			t.Errorf("%s: %q is not one clear sentence", name, m)
		}
		// What a machine takes is the benchmark of internal/sheet; this is an end to it.
		if took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		t.Logf("%-28s %s %s", name, took.Round(time.Millisecond), m)
	}
	if got := len(c.sheet(rep.ID).Rows); got != 2 {
		t.Errorf("%d rows after refused imports, want 2", got)
	}
	if mb := s.peakMemory(t); mb > 300 {
		t.Errorf("the server took %d MB", mb)
	} else {
		t.Logf("peak memory %d MB", mb)
	}
}

// peakMemory is the most memory the server had so far, in MB.
func (s *server) peakMemory(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// parts are the smallest workbook, into which a part is put.
var parts = map[string]string{
	"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
	"_rels/.rels":                `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="表" sheetId="1" r:id="r1"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
}

func workbook(t *testing.T, part, content string) []byte {
	t.Helper()
	return zipped(t, part, swollen{open: content})
}

// bomb is a workbook whose sheet inflates to 60 times the given size, of at most that
// size itself.
func bomb(t *testing.T, size int64) []byte {
	t.Helper()
	row := "<row><c><v>" + strings.Repeat("1", 1<<10) + "</v></c></row>"
	return zipped(t, "xl/worksheets/sheet1.xml", swollen{
		open: "<worksheet><sheetData>", chunk: strings.Repeat(row, 1<<10), times: int(size / (1 << 20) * 60),
	})
}

// swollen is a text with a chunk many times in its middle.
type swollen struct {
	open, chunk string
	times       int
	end         string
}

// deflated compresses the chunk once and says it again: a flushed stretch of a
// deflate stream that looks at nothing before itself may stand as often as one likes.
// Compressing gigabytes for the bombs of these tests took minutes.
func (s swollen) deflated(t *testing.T) (data []byte, crc uint32, size uint64) {
	t.Helper()
	stretch := func(text string, last bool) []byte {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestSpeed)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err == nil && last {
			err = w.Close()
		} else if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	data = append(stretch(s.open, false), bytes.Repeat(stretch(s.chunk, false), s.times)...)
	data = append(data, stretch(s.end, true)...)
	crc = crc32.ChecksumIEEE([]byte(s.open))
	chunk := []byte(s.chunk)
	for range s.times {
		crc = crc32.Update(crc, crc32.IEEETable, chunk)
	}
	crc = crc32.Update(crc, crc32.IEEETable, []byte(s.end))
	return data, crc, uint64(len(s.open) + s.times*len(s.chunk) + len(s.end))
}

// zipped is the smallest workbook with a part of any size, and other parts in place of
// those of the same name.
func zipped(t *testing.T, part string, content swollen, more ...map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	all := maps.Clone(parts)
	for _, m := range more {
		maps.Copy(all, m)
	}
	for name, text := range all {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	data, crc, size := content.deflated(t)
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: part, Method: zip.Deflate, CRC32: crc,
		CompressedSize64: uint64(len(data)), UncompressedSize64: size,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
