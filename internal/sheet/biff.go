package sheet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/richardlehane/mscfb"
	"golang.org/x/text/encoding"
)

// Records of the binary workbook, [MS-XLS] §2.3, and their older forms.
const (
	recFormula    = 0x0006
	recEOF        = 0x000A
	recDate1904   = 0x0022
	recFilePass   = 0x002F
	recContinue   = 0x003C
	recCodePage   = 0x0042
	recBoundSheet = 0x0085
	recMulRK      = 0x00BD
	recRString    = 0x00D6
	recXF         = 0x00E0
	recMergeCells = 0x00E5
	recSST        = 0x00FC
	recLabelSST   = 0x00FD
	recNumber     = 0x0203
	recLabel      = 0x0204
	recBoolErr    = 0x0205
	recFormula3   = 0x0206 // a formula as BIFF3 numbered it; some writers kept to it
	recString     = 0x0207
	recRow        = 0x0208
	recArray      = 0x0221
	recTable      = 0x0236
	recRK         = 0x027E
	recFormula4   = 0x0406
	recFormat     = 0x041E
	recShared     = 0x04BC
	recBOF        = 0x0809
	recBOF2       = 0x0009
	recBOF3       = 0x0209
	recBOF4       = 0x0409
)

// Errors of the workbook stream.
var (
	errBIFFCut  = errors.New("biff: record runs over the end of the stream")
	errBIFFForm = errors.New("biff: record too short or out of place")
)

// biffBook is an opened .xls or .et workbook, BIFF5 to BIFF8: a stream of records
// in a compound file. The stream, 20 MB at most, is held in memory, because sheets
// are found by their offset in it.
type biffBook struct {
	limits *Limits
	mem    *budget
	data   []byte
	eight  bool              // BIFF8: strings are UTF-16; else bytes in a code page
	page   *encoding.Decoder // of BIFF5; nil: unknown
	mac    bool              // code page 10029
	list   []SheetInfo
	at     []int       // offset of each sheet in list
	facts  []*biffFact // of each sheet, once looked at
	xfs    []uint16    // number format of each cell format
	custom map[uint16]NumFmt
	fmts   []NumFmt // by cell format
	sst    strtab
	from04 bool
}

// openCFB opens a compound file: a binary workbook, or an encrypted package.
func openCFB(ctx context.Context, r io.ReaderAt, size int64, limits *Limits, mem *budget, password string) (book, error) {
	if err := safeCFB(r, size); err != nil {
		return nil, errDamaged(err)
	}
	doc, err := mscfb.New(r)
	if err != nil {
		return nil, errDamaged(fmt.Errorf("sheet: compound file: %w", err))
	}
	var stream *mscfb.File
	for _, f := range doc.File {
		if len(f.Path) > 0 {
			continue // an embedded object
		}
		switch strings.ToLower(f.Name) {
		case "encryptedpackage", "encryptioninfo":
			return openEncrypted(ctx, r, size, limits, mem, password)
		case "workbook":
			stream = f
		case "book": // a file for two versions of Excel holds both
			if stream == nil {
				stream = f
			}
		}
	}
	if stream == nil {
		return nil, errUnreadable("这不是表格文件（可能是 Word 或其他文档）；请选择采集表的 .xlsx 文件后再上传。",
			errors.New("sheet: compound file without a workbook"))
	}
	data, err := readStream(ctx, stream, size, mem)
	if err != nil {
		return nil, blame("reading the workbook stream", err)
	}
	b := &biffBook{limits: limits, mem: mem, data: data, custom: make(map[uint16]NumFmt)}
	if err := b.globals(ctx, password); err != nil {
		return nil, blame("opening the binary workbook", err)
	}
	return b, nil
}

// readStream reads a stream that cannot be longer than its file.
func readStream(ctx context.Context, f *mscfb.File, size int64, mem *budget) ([]byte, error) {
	if f.Size < 4 || f.Size > size {
		return nil, errBIFFCut
	}
	if err := mem.take(int(f.Size)); err != nil {
		return nil, err
	}
	// In pieces: the library's work on one read grows with its square.
	data := make([]byte, f.Size)
	for n := 0; n < len(data); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, err := f.Read(data[n:min(len(data), n+64<<10)])
		if n += k; n < len(data) && (err != nil || k == 0) {
			return nil, errors.Join(errBIFFCut, err)
		}
	}
	return data, nil
}

// record returns the record at an offset and the offset behind it.
func (b *biffBook) record(at int) (id uint16, body []byte, next int, err error) {
	if at < 0 || at+4 > len(b.data) {
		return 0, nil, 0, errBIFFCut
	}
	id = binary.LittleEndian.Uint16(b.data[at:])
	next = at + 4 + int(binary.LittleEndian.Uint16(b.data[at+2:]))
	if next > len(b.data) {
		return 0, nil, 0, errBIFFCut
	}
	return id, b.data[at+4 : next : next], next, nil
}

func isBOF(id uint16) bool { return id == recBOF || id == recBOF3 || id == recBOF4 }

func errOldExcel() error { return errUnsupported("很早的 Excel 格式（.xls）") }

// openStream opens a workbook stream that stands alone, as the sheets of BIFF4 and
// before do. An import refuses them: programs of that age knew no Chinese and left
// the encoding to the machine. Dump shows them.
func openStream(ctx context.Context, r io.ReaderAt, size int64, limits *Limits, mem *budget) (book, error) {
	if !limits.Old {
		return nil, errOldExcel()
	}
	if err := mem.take(int(size)); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), data); err != nil {
		return nil, errDamaged(err)
	}
	b := &biffBook{limits: limits, mem: mem, data: data, custom: make(map[uint16]NumFmt)}
	if err := b.globals(ctx, ""); err != nil {
		return nil, blame("opening the old workbook", err)
	}
	return b, nil
}

// Substream types of a BOF record.
const (
	subGlobals = 0x0005
	subSheet   = 0x0010
)

// globals reads the first substream: sheets, formats and shared strings. A BIFF5
// file may consist of one sheet alone, which then holds the formats.
func (b *biffBook) globals(ctx context.Context, password string) error {
	id, body, at, err := b.record(0)
	if err != nil {
		return err
	}
	if len(body) < 4 {
		return errBIFFForm
	}
	version := binary.LittleEndian.Uint16(body)
	switch {
	case (id == recBOF3 || id == recBOF4) && b.limits.Old:
	case id == recBOF && version == 0x0600:
		b.eight = true
	case id == recBOF && version == 0x0500:
	case id == recBOF2, id == recBOF3, id == recBOF4, id == recBOF && version < 0x0500:
		return errOldExcel()
	default:
		return errBIFFForm
	}
	b.page = codePage(936) // what a file here means when it does not say
	if binary.LittleEndian.Uint16(body[2:]) == subSheet {
		b.list, b.at = []SheetInfo{{Name: "Sheet1"}}, []int{0}
	}
	depth := 1
	for n := 0; depth > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if id, body, at, err = b.record(at); err != nil {
			return err
		}
		switch {
		case isBOF(id):
			depth++
		case id == recEOF:
			depth--
		case depth > 1:
		case id == recFilePass:
			err = b.decrypt(ctx, body, at, password)
		case id == recSST:
			at, err = b.readSST(body, at)
		default:
			err = b.global(id, body)
		}
		if err != nil {
			return err
		}
	}
	for _, f := range b.xfs {
		nf, ok := b.custom[f]
		if !ok {
			nf = builtinFmt(int(f))
		}
		b.fmts = append(b.fmts, nf)
	}
	b.facts = make([]*biffFact, len(b.list))
	return nil
}

// decrypt decrypts all records behind FILEPASS in place, but those that never are.
func (b *biffBook) decrypt(ctx context.Context, filepass []byte, at int, password string) error {
	if !b.eight {
		return errCipher("XOR obfuscation")
	}
	d, err := newBIFFDecryptor(filepass, password)
	if err != nil {
		return err
	}
	for at < len(b.data) {
		id, body, next, err := b.record(at)
		if err != nil {
			return nil // reading it will tell whether that matters
		}
		place := int64(at + 4)
		switch id {
		case recBOF, recFilePass, 0x00E1, 0x0194, 0x0195, 0x0196, 0x0138: // INTERFACEHDR, USREXCL, FILELOCK, RRDINFO, RRDHEAD
			body = nil
		case recBoundSheet:
			n := min(4, len(body))
			body, place = body[n:], place+int64(n)
		}
		if err := d.decrypt(ctx, body, place); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (b *biffBook) global(id uint16, body []byte) error {
	switch id {
	case recCodePage:
		if len(body) >= 2 {
			n := binary.LittleEndian.Uint16(body)
			b.page, b.mac = codePage(n), n == 10029
		}
	case recDate1904:
		b.from04 = len(body) >= 2 && body[0] == 1
	case recXF:
		if len(body) >= 4 && len(b.xfs) < maxStyles {
			b.xfs = append(b.xfs, binary.LittleEndian.Uint16(body[2:]))
		}
	case recFormat:
		if len(body) >= 2 && len(b.custom) < maxStyles {
			code, err := b.shortOrLong(body[2:], b.eight)
			if err != nil {
				return nil // a format that cannot be read shows a number as it is
			}
			b.custom[binary.LittleEndian.Uint16(body)] = parseNumFmt(string(code))
		}
	case recBoundSheet:
		return b.boundSheet(body)
	}
	return nil
}

// boundSheet lists a worksheet; charts, dialogues and macros hold no rows.
func (b *biffBook) boundSheet(body []byte) error {
	if len(body) < 7 {
		return errBIFFForm
	}
	at, state, kind := int(binary.LittleEndian.Uint32(body)), body[4]&3, body[5]
	if kind != 0 {
		return nil
	}
	if len(b.list) == b.limits.Sheets {
		return errTooBig("工作簿里的工作表太多；请只保留采集表，另存为 .xlsx 后再上传。", errors.New("sheet: sheets over the limit"))
	}
	name, err := b.shortOrLong(body[6:], false)
	if err != nil {
		return err
	}
	b.list = append(b.list, SheetInfo{Name: clean(string(name)), Hidden: state != 0})
	b.at = append(b.at, at)
	return nil
}

func (b *biffBook) sheets() []SheetInfo { return b.list }
func (b *biffBook) date1904() bool      { return b.from04 }
