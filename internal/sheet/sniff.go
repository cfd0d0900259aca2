package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// open finds out what a file is, by its content and never by its name, and opens
// it. name is used for the title of a sheet that has none, password for a workbook
// that is encrypted.
func open(ctx context.Context, r io.ReaderAt, size int64, name string, limits *Limits, mem *budget, password string) (book, error) {
	if size > limits.Upload {
		return nil, errTooBig(fmt.Sprintf("文件超过 %d MB，请删去图片和多余的工作表，或分成几个文件后再上传。", limits.Upload>>20), errors.New("sheet: upload over the limit"))
	}
	head := make([]byte, min(size, 512))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errDamaged(err)
	}
	switch {
	case len(bytes.Trim(head, "\x00")) == 0:
		return nil, errUnreadable("文件是空的，没有任何内容；请检查是否选错了文件，或重新保存后再上传。", errors.New("sheet: empty file"))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return openZip(ctx, r, size, limits, mem)
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return openCFB(ctx, r, size, limits, mem, password)
	case len(head) > 4 && head[0] == 9 && head[1] <= 8 && head[1]%2 == 0 && head[2] <= 8 && head[3] == 0:
		return openStream(ctx, r, size, limits, mem)
	case isPicture(head):
		return nil, errUnreadable("这是图片、PDF 或压缩包，不是表格；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: not a workbook"))
	}
	if hasPackage(r, size) {
		return openZip(ctx, r, size, limits, mem)
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(dropZeros(head), []byte("\xEF\xBB\xBF")), "\xFE\xFF \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return openMarkup(ctx, r, size, name, limits, mem)
	case isWebArchive(text):
		return nil, errUnsupported("网页归档格式的表格（.mht）")
	case bytes.HasPrefix(text, []byte("ID;P")):
		return nil, errUnsupported(" SYLK 格式的表格（.slk）")
	case isDIF(text):
		return nil, errUnsupported(" DIF 格式的表格（.dif）")
	}
	return openCSV(ctx, r, size, name, limits)
}

// hasPackage reports whether a file of another beginning ends as a package: some
// gateways put a line before what they send, and readers look at the end only.
func hasPackage(r io.ReaderAt, size int64) bool {
	tail := make([]byte, min(size, 66<<10)) // a comment of 64 KiB may stand behind
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return bytes.Contains(tail, []byte("PK\x05\x06")) && bytes.Contains(tail, []byte("PK\x01\x02"))
}

// dropZeros makes the ASCII characters of UTF-16 text comparable.
func dropZeros(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0}, nil) }

// isWebArchive knows the head of a message, as which a page with its pictures is
// saved; the lines come in any order.
func isWebArchive(text []byte) bool {
	for _, line := range []string{"MIME-Version:", "From: <Saved by", "Content-Type: multipart/related"} {
		if len(text) >= len(line) && strings.EqualFold(string(text[:len(line)]), line) {
			return true
		}
	}
	return false
}

// isDIF knows the Data Interchange Format: TABLE, then 0,1 on the next line.
func isDIF(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("TABLE"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, "\r\n"), []byte("0,1")) && len(rest) > 0 && (rest[0] == '\r' || rest[0] == '\n')
}

// isPicture knows the files that are most often taken for the workbook.
func isPicture(head []byte) bool {
	for _, magic := range []string{
		"\x89PNG", "\xFF\xD8\xFF", "GIF8", "BM", "%PDF", "Rar!", "7z\xBC\xAF", "\x1F\x8B", "II*\x00", "MM\x00*", "RIFF", "{\\rtf",
	} {
		if !bytes.HasPrefix(head, []byte(magic)) {
			continue
		}
		// "BM" may begin a text; a bitmap has zeros in its header.
		if magic == "BM" && bytes.IndexByte(head, 0) < 0 {
			continue
		}
		return true
	}
	return false
}

// openZip tells the packages apart.
func openZip(ctx context.Context, r io.ReaderAt, size int64, limits *Limits, mem *budget) (book, error) {
	c, err := openContainer(r, size, limits)
	if err != nil {
		return nil, err
	}
	switch {
	case c.has("content.xml") && (c.has("mimetype") || c.has("META-INF/manifest.xml")):
		b, err := openODS(ctx, c, limits, mem)
		if err != nil {
			return nil, blame("opening the OpenDocument spreadsheet", err)
		}
		return b, nil
	case c.has("xl/workbook.bin"):
		return nil, errUnsupported(" Excel 二进制工作簿（.xlsb）")
	case c.hasPrefix("word/") && !c.hasPrefix("xl/"):
		return nil, errUnreadable("这是 Word 文档，不是表格；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: word document"))
	case !c.has("[Content_Types].xml") && !c.has("_rels/.rels"):
		return nil, errUnreadable("这是压缩包，不是表格；请解压后选择其中的 .xlsx 文件再上传。", errors.New("sheet: zip without a workbook"))
	}
	b, err := openXLSX(ctx, c, limits, mem)
	if err != nil {
		return nil, blame("opening the workbook", err)
	}
	return b, nil
}
