package message

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// How many files a notice has, and how many bytes they have together.
const (
	maxFiles     = 10
	maxFileBytes = 50 << 20
)

// content is how a kind of file begins.
type content struct {
	typ   string
	heads []string // nil: text without control characters
}

const (
	zipHead = "PK\x03\x04"
	cfbHead = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" // the compound files of old office programs
)

// contentOf returns what a file of a name must begin with; a name alone proves nothing, so
// both are asked. Nothing that a browser or a system would run is among them.
func contentOf(name string) (content, bool) {
	const office = "application/vnd.openxmlformats-officedocument."
	switch strings.ToLower(path.Ext(name)) {
	case ".pdf":
		return content{"application/pdf", []string{"%PDF-"}}, true
	case ".docx":
		return content{office + "wordprocessingml.document", []string{zipHead}}, true
	case ".xlsx":
		return content{office + "spreadsheetml.sheet", []string{zipHead}}, true
	case ".pptx":
		return content{office + "presentationml.presentation", []string{zipHead}}, true
	case ".ofd":
		return content{"application/ofd", []string{zipHead}}, true
	case ".zip":
		return content{"application/zip", []string{zipHead}}, true
	case ".doc", ".wps":
		return content{"application/msword", []string{cfbHead, zipHead}}, true
	case ".xls", ".et":
		return content{"application/vnd.ms-excel", []string{cfbHead, zipHead}}, true
	case ".ppt", ".dps":
		return content{"application/vnd.ms-powerpoint", []string{cfbHead, zipHead}}, true
	case ".png":
		return content{"image/png", []string{"\x89PNG\r\n\x1a\n"}}, true
	case ".jpg", ".jpeg":
		return content{"image/jpeg", []string{"\xff\xd8\xff"}}, true
	case ".txt":
		return content{"text/plain; charset=utf-8", nil}, true
	case ".csv":
		return content{"text/csv; charset=utf-8", nil}, true
	}
	return content{}, false
}

// fileType returns the media type of an attachment, by its content.
func fileType(name string, data []byte) (string, error) {
	c, ok := contentOf(name)
	switch {
	case !ok:
		return "", tianbao.Invalid("bad_file", "附件请用 PDF、OFD、Word、Excel、WPS、PPT、图片、文本或 ZIP 文件。")
	case len(data) == 0:
		return "", tianbao.Invalid("empty_file", "这个文件是空的，请重新选择。")
	case c.heads == nil && (bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data)):
		return "", tianbao.Invalid("bad_text", "文本文件请用 UTF-8 编码保存后再上传。")
	case c.heads != nil:
		for _, head := range c.heads {
			if bytes.HasPrefix(data, []byte(head)) {
				return c.typ, nil
			}
		}
		return "", tianbao.Invalid("other_content", "文件的内容和扩展名不符，请用原来的程序重新保存后再上传。")
	}
	return c.typ, nil
}
