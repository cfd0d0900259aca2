package sheet

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// open finds out what a file is, by its content and never by its name, and opens
// it. name is used for the title of a sheet that has none, password for a workbook
// that is encrypted.
func open(ctx context.Context, r io.ReaderAt, size int64, name string, limits *Limits, mem *budget, password string) (book, error) {
	if size > limits.Upload {
		return nil, errTooBig("文件超过 20 MB，请删去图片和多余的工作表，或分成几个文件后再上传。", errors.New("sheet: upload over the limit"))
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
		return nil, errUnsupported("很早的 Excel 格式（.xls）")
	case isPicture(head):
		return nil, errUnreadable("这是图片、PDF 或压缩包，不是表格；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: not a workbook"))
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(dropZeros(head), []byte("\xEF\xBB\xBF")), "\xFE\xFF \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return nil, errUnsupported("网页或 XML 格式的表格（虽然文件名可能是 .xls）")
	case bytes.HasPrefix(text, []byte("MIME-Version:")):
		return nil, errUnsupported("网页归档格式的表格")
	case bytes.HasPrefix(text, []byte("ID;P")):
		return nil, errUnsupported("SYLK 格式的表格")
	}
	return openCSV(ctx, r, size, name, limits)
}

// dropZeros makes the ASCII characters of UTF-16 text comparable.
func dropZeros(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0}, nil) }

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
	case c.has("mimetype") && c.has("content.xml"):
		return nil, errUnsupported("OpenDocument 表格（.ods）")
	case c.has("xl/workbook.bin"):
		return nil, errUnsupported("Excel 二进制工作簿（.xlsb）")
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

// openCFB tells what an OLE compound file holds. Its directory may stand anywhere,
// so the names are looked for in the whole file.
func openCFB(ctx context.Context, r io.ReaderAt, size int64, limits *Limits, mem *budget, password string) (book, error) {
	encrypted, workbook, book := utf16LE("EncryptedPackage"), utf16LE("Workbook"), utf16LE("Book")
	found := 0
	buf := make([]byte, 256<<10)
	for off := int64(0); off < size; off += int64(len(buf) - len(encrypted)) {
		if err := ctx.Err(); err != nil {
			return nil, blame("looking into a compound file", err)
		}
		n, err := r.ReadAt(buf, off)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, errDamaged(err)
		}
		b := buf[:n]
		switch {
		case bytes.Contains(b, encrypted):
			return openEncrypted(ctx, r, size, limits, mem, password)
		case bytes.Contains(b, workbook), bytes.Contains(b, book):
			found++
		}
	}
	if found > 0 {
		return nil, errUnsupported("旧版 Excel 或 WPS 表格（.xls、.et）")
	}
	return nil, errUnreadable("这不是表格文件（可能是 Word 或其他文档）；请选择采集表的 .xlsx 文件后再上传。", errors.New("sheet: compound file without a workbook"))
}
