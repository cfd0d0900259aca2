package letter

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"strings"
)

// Beginnings of files.
const (
	magicZip  = "PK\x03\x04"
	magicCFB  = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
	magicTNEF = "\x78\x9F\x3E\x22"
	magicRAR  = "Rar!\x1A\x07"
	magic7z   = "7z\xBC\xAF\x27\x1C"
	magicGzip = "\x1F\x8B"
)

// bookEndings are the names under which text is taken for a workbook.
const bookEndings = " .csv .tsv .xls .xlsx .xml .html .htm .et .ods .fods "

func looksLikeBook(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext != "" && strings.Contains(bookEndings, " "+ext+" ")
}

// file takes a file in, or those of an archive.
func (w *walker) file(name string, data []byte, depth int) error {
	if len(w.letter.Files) >= w.limits.Files {
		return FaultFiles
	}
	kind := kindOf(name, data)
	if kind == Workbook && len(data) > w.limits.File {
		kind = TooLarge
	}
	if kind == "" { // a zip archive
		return w.archive(name, data, depth+1)
	}
	f := File{Name: name, Kind: kind}
	if kind == Workbook {
		f.Data = data
	}
	w.letter.Files = append(w.letter.Files, f)
	return nil
}

// kindOf tells what a file is, "" for a zip archive that is no workbook itself.
func kindOf(name string, data []byte) Kind {
	begins := func(magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }
	switch {
	case len(data) == 0:
		return Empty
	case begins(magicTNEF):
		return TNEF
	case begins(magicRAR), begins(magic7z), begins(magicGzip):
		return Archive
	case begins(magicCFB):
		// The directory of a compound file names its streams in UTF-16.
		for _, stream := range []string{"Workbook", "Book", "EncryptedPackage"} {
			if bytes.Contains(data, utf16LE(stream)) {
				return Workbook
			}
		}
		return Other
	case begins(magicZip), begins("PK\x05\x06"):
		return zipKind(data)
	case looksLikeBook(name) && !binary(data):
		return Workbook
	case len(data) > 4 && data[0] == 9 && data[1] <= 8 && data[1]%2 == 0 && data[2] <= 8 && data[3] == 0:
		return Workbook // BIFF without a compound file
	case bytes.Contains(data[:min(len(data), 4096)], []byte("urn:schemas-microsoft-com:office:spreadsheet")):
		return Workbook
	}
	return Other
}

// zipKind tells workbooks and other documents from archives by the names within.
func zipKind(data []byte) Kind {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Damaged
	}
	has := func(name string) bool {
		for _, e := range z.File {
			if strings.HasPrefix(strings.ReplaceAll(e.Name, `\`, "/"), name) {
				return true
			}
		}
		return false
	}
	switch {
	case has("[Content_Types].xml") && has("xl/"), has("content.xml") && (has("mimetype") || has("META-INF/manifest.xml")):
		return Workbook // also texts of OpenDocument, which internal/sheet tells apart
	case has("[Content_Types].xml") && (has("word/") || has("ppt/")):
		return Other
	}
	return ""
}

// binary reports whether data is no text: pictures and programs have zeros, text in UTF-16
// begins with its mark.
func binary(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) {
		return false
	}
	return bytes.IndexByte(data[:min(len(data), 4096)], 0) >= 0 || bytes.HasPrefix(data, []byte("%PDF"))
}

func utf16LE(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}

// archive takes in the files of a zip archive.
func (w *walker) archive(name string, data []byte, depth int) error {
	if depth > w.limits.Depth {
		return FaultParts
	}
	add := func(kind Kind) error {
		w.letter.Files = append(w.letter.Files, File{Name: name, Kind: kind})
		return nil
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return add(Damaged)
	}
	found := 0
	for _, e := range z.File {
		inner := entryName(e)
		if e.FileInfo().IsDir() || inner == "" || strings.HasPrefix(inner, ".") || strings.HasPrefix(inner, "~$") || strings.Contains(e.Name, "__MACOSX/") {
			continue
		}
		if w.parts++; w.parts > w.limits.Parts {
			return FaultParts
		}
		found++
		if e.Flags&1 != 0 {
			return add(Locked)
		}
		b, err := w.inflate(e)
		switch {
		case err == FaultBomb: //nolint:errorlint // it is ours and is not wrapped
			return err
		case err != nil:
			return add(Damaged)
		}
		if err := w.file(inner, b, depth); err != nil {
			return err
		}
	}
	if found == 0 {
		return add(Empty)
	}
	return nil
}

// inflate reads a file of an archive, never more than may still be unfolded; what its
// header says of its size is not believed.
func (w *walker) inflate(e *zip.File) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	left := w.limits.Inflated - w.inflated
	b, err := io.ReadAll(io.LimitReader(r, int64(left)+1))
	if len(b) > left {
		return nil, FaultBomb
	}
	w.inflated += len(b)
	return b, err
}

// entryName is the name of a file in an archive; without the mark of UTF-8 it is in the
// charset of the machine that packed it.
func entryName(e *zip.File) string {
	if e.NonUTF8 {
		return cleanName(toUTF8([]byte(e.Name), ""))
	}
	return cleanName(strings.ToValidUTF8(e.Name, "\uFFFD"))
}
