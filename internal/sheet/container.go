package sheet

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/flate"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// container is a zip package with its parts by lower-case name.
type container struct {
	parts map[string]*zip.File // nil: two entries bear this name
	size  int64                // of the package
	meter meter
}

// openContainer reads the directory of a zip package. archive/zip verifies the
// checksum and length of each part that is read to its end, data descriptors and
// zip64 included.
func openContainer(r io.ReaderAt, size int64, limits *Limits) (*container, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, errDamaged(fmt.Errorf("sheet: zip directory: %w", err))
	}
	if len(z.File) > limits.Entries {
		return nil, errTooBig("文件内部的部件太多，不像一张表；请把内容复制到新的工作簿，另存为 .xlsx 后再上传。",
			errors.New("sheet: entries over the limit"))
	}
	z.RegisterDecompressor(zip.Deflate, func(in io.Reader) io.ReadCloser { return flate.NewReader(in) })
	c := &container{
		parts: make(map[string]*zip.File, len(z.File)),
		size:  size,
		meter: meter{limits: limits, seen: make(map[string]int64)},
	}
	for _, f := range z.File {
		name := partName("", f.Name)
		if _, twice := c.parts[name]; twice {
			// Readers differ in which of the two they take, so neither is safe.
			f = nil
		}
		c.parts[name] = f
	}
	return c, nil
}

// partName resolves the target of a relationship against the folder of its source
// and gives the form under which parts are kept: no leading slash, lower case.
func partName(dir, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = path.Join("/", dir, target)
	}
	return strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))
}

func (c *container) has(name string) bool {
	_, ok := c.parts[strings.ToLower(name)]
	return ok
}

// hasPrefix reports whether a part's name begins with prefix, in lower case.
func (c *container) hasPrefix(prefix string) bool {
	for name := range c.parts {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// part is an opened part. What came out of it may be believed when next has given
// tokEOF: only then are its checksum and its length verified.
type part struct {
	*scanner
	src io.Reader
	zip io.ReadCloser
}

// open opens a part and decodes it to UTF-8.
func (c *container) open(ctx context.Context, name string) (*part, error) {
	f, ok := c.parts[name]
	if !ok {
		return nil, errors.New("sheet: a part is missing")
	}
	if f == nil {
		return nil, errors.New("sheet: two parts bear one name")
	}
	if f.Flags&1 != 0 {
		return nil, errCipher("zip encryption")
	}
	// No part is packed into more than the package.
	packed := c.size
	if f.CompressedSize64 < uint64(packed) {
		packed = int64(f.CompressedSize64)
	}
	// A declared size is no proof, but archive/zip ends with an error where it lies, so
	// what declares too much is refused before a byte is inflated.
	if n := int64(f.UncompressedSize64); n < 0 || c.meter.over(n, c.meter.total+n-c.meter.seen[name], packed) {
		return nil, errInflated()
	}
	z, err := f.Open()
	if err != nil {
		return nil, err
	}
	m := &meterReader{ctx: ctx, r: z, m: &c.meter, part: name, packed: packed}
	p := &part{scanner: newScanner(m), src: m, zip: z}
	if err := p.decode(); err != nil {
		_ = z.Close()
		return nil, err
	}
	p.left += tagsPerByte * int(packed)
	return p, nil
}

// decode looks at the first bytes: a byte order mark or a declared encoding other
// than UTF-8 puts a decoder between part and scanner.
func (p *part) decode() error {
	for p.end < 256 && !p.eof {
		if err := p.more(); err != nil {
			return err
		}
	}
	head := p.buf[:p.end]
	var enc encoding.Encoding
	switch {
	case strings.HasPrefix(string(head), "\xEF\xBB\xBF"):
		p.pos = 3
		return nil
	case strings.HasPrefix(string(head), "\xFF\xFE"), strings.HasPrefix(string(head), "\xFE\xFF"):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case strings.HasPrefix(string(head), "<\x00?\x00"):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case strings.HasPrefix(string(head), "\x00<\x00?"):
		enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	default:
		label := declared(head)
		if isUTF8(label) {
			return nil
		}
		if enc = namedEncoding(label); enc == nil {
			return errors.New("sheet: unknown encoding declared")
		}
	}
	var rest io.Reader = p.src
	if p.eof {
		rest = strings.NewReader("")
	}
	before := append([]byte(nil), head...)
	p.scanner = newScanner(transform.NewReader(io.MultiReader(strings.NewReader(string(before)), rest), enc.NewDecoder()))
	return nil
}

// isUTF8 reports whether a declared encoding is UTF-8 or a part of it.
func isUTF8(label string) bool {
	switch strings.ToLower(label) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return true
	}
	return false
}

// namedEncoding finds a declared encoding among those that spreadsheets here come
// in; nil when it is none of them.
func namedEncoding(label string) encoding.Encoding {
	switch strings.ToLower(label) {
	case "gbk", "gb2312", "gb_2312", "gb_2312-80", "gb18030", "cp936", "x-gbk", "windows-936":
		return simplifiedchinese.GB18030
	case "iso-8859-1", "windows-1252", "latin1":
		return charmap.Windows1252
	}
	return nil
}

// declared returns the encoding that an XML declaration names.
func declared(head []byte) string {
	decl, _, ok := strings.Cut(string(head), "?>")
	if !ok || !strings.HasPrefix(decl, "<?xml") {
		return ""
	}
	for a := []byte(decl[len("<?xml"):]); ; {
		name, value, rest, ok := nextAttr(a)
		if !ok {
			return ""
		}
		if string(name) == "encoding" {
			return string(value)
		}
		a = rest
	}
}

func (p *part) close() { _ = p.zip.Close() }

// rel is one relationship of a part.
type rel struct {
	id, kind, target string // kind is the last word of the type
}

// maxRels bounds the relationships of one part.
const maxRels = 16384

// rels reads the relationships of a part; a part without any has none.
func (c *container) rels(ctx context.Context, source string) ([]rel, error) {
	dir, base := path.Split(source)
	name := partName("", dir+"_rels/"+base+".rels")
	if !c.has(name) {
		return nil, nil
	}
	p, err := c.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var out []rel
	for {
		tok, err := p.next()
		if err != nil {
			return nil, err
		}
		if tok == tokEOF {
			return out, nil
		}
		if tok != tokStart || string(p.name) != "Relationship" {
			continue
		}
		if mode, _ := p.attr("TargetMode"); strings.EqualFold(mode, "External") {
			continue // nothing outside the file is ever opened
		}
		id, _ := p.attr("Id")
		kind, _ := p.attr("Type")
		target, _ := p.attr("Target")
		if len(out) == maxRels {
			return nil, errors.New("sheet: too many relationships")
		}
		out = append(out, rel{id, path.Base(kind), partName(dir, target)})
	}
}
