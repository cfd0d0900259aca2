package sheet

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // MS-OFFCRYPTO asks for it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"

	"tianbao"
)

// Encrypted workbooks, [MS-OFFCRYPTO]. An .xlsx with a password is a compound file
// with the streams EncryptionInfo and EncryptedPackage; the package inside is the
// zip that it would be without. It is decrypted in memory and never written to disk.

const (
	// fixedPassword is what Excel and WPS encrypt a workbook with whose structure
	// alone is protected; they open it again without asking ([MS-OFFCRYPTO] §2.4.2.3).
	fixedPassword = "VelvetSweatshop"
	// maxSpin bounds the rounds of the key derivation, half a second of work. Office
	// writes 100,000.
	maxSpin = 1_000_000
	// maxInfo bounds the description of the encryption.
	maxInfo = 64 << 10
	// maxPassword is the longest password that Office takes, in UTF-16 units.
	maxPassword = 255
)

func errEncrypted() error {
	return tianbao.WorkbookError("encrypted",
		"文件设有打开密码，请输入密码后再读取，或在 Excel、WPS 中取消密码（文件→信息→保护工作簿）后重新上传。",
		errors.New("sheet: encrypted"))
}

func errBadPassword() error {
	return tianbao.WorkbookError("bad_password",
		"打开密码不对，没有读入任何内容；请注意大小写和全角半角，重新输入。",
		errors.New("sheet: wrong password"))
}

func errCipher(what string) error {
	return tianbao.WorkbookError("unsupported",
		"文件的加密方式不能识别；请在 Excel 或 WPS 中打开，取消密码后另存为 .xlsx 再上传。",
		errors.New("sheet: "+what))
}

// withPassword calls try with the fixed password and then with the one given, until
// one fits. try reports whether the password fits.
func withPassword(given string, try func(password []byte) (bool, error)) error {
	list := []string{fixedPassword}
	if given != "" && given != fixedPassword {
		list = append(list, given)
	}
	for _, p := range list {
		units := utf16LE(p)
		if len(units) > 2*maxPassword {
			continue
		}
		if ok, err := try(units); ok || err != nil {
			return err
		}
	}
	if given == "" {
		return errEncrypted()
	}
	return errBadPassword()
}

// packageCipher decrypts a package with the key that a password gives.
type packageCipher interface {
	// unlock derives the key and reports whether the password fits.
	unlock(ctx context.Context, password []byte) (bool, error)
	// decrypt decrypts all of the stream in place and returns the package.
	decrypt(ctx context.Context, stream []byte) ([]byte, error)
}

// openEncrypted opens the package inside a compound file.
func openEncrypted(ctx context.Context, r io.ReaderAt, size int64, limits *Limits, mem *budget, password string) (book, error) {
	pack, err := decryptPackage(ctx, r, size, mem, password)
	if err != nil {
		return nil, blame("decrypting", err)
	}
	if !bytes.HasPrefix(pack, []byte("PK")) {
		return nil, errDamaged(errors.New("sheet: no package inside the encryption"))
	}
	return openZip(ctx, bytes.NewReader(pack), int64(len(pack)), limits, mem)
}

func decryptPackage(ctx context.Context, r io.ReaderAt, size int64, mem *budget, password string) ([]byte, error) {
	if err := mem.take(int(size)); err != nil {
		return nil, err
	}
	info, stream, err := encryptedStreams(r, size)
	if err != nil {
		return nil, err
	}
	c, err := parseInfo(info)
	if err != nil {
		return nil, err
	}
	if len(stream) < 8 {
		return nil, errors.New("sheet: encrypted package cut")
	}
	err = withPassword(password, func(p []byte) (bool, error) { return c.unlock(ctx, p) })
	if err != nil {
		return nil, err
	}
	return c.decrypt(ctx, stream)
}

// encryptedStreams reads the two streams of the root folder.
func encryptedStreams(r io.ReaderAt, size int64) (info, stream []byte, err error) {
	doc, err := mscfb.New(r)
	if err != nil {
		return nil, nil, err
	}
	for f, err := doc.Next(); err == nil; f, err = doc.Next() {
		if len(f.Path) > 0 {
			continue
		}
		switch {
		case strings.EqualFold(f.Name, "EncryptionInfo") && info == nil:
			if info, err = io.ReadAll(io.LimitReader(f, maxInfo)); err != nil {
				return nil, nil, err
			}
		case strings.EqualFold(f.Name, "EncryptedPackage") && stream == nil:
			if f.Size > size {
				return nil, nil, errors.New("sheet: encrypted package longer than the file")
			}
			if stream, err = io.ReadAll(io.LimitReader(f, size)); err != nil {
				return nil, nil, err
			}
		}
	}
	if info == nil || stream == nil {
		return nil, nil, errCipher("no EncryptionInfo, rights management perhaps")
	}
	return info, stream, nil
}

// parseInfo reads the EncryptionInfo stream (§2.3.4.5, §2.3.4.10).
func parseInfo(b []byte) (packageCipher, error) {
	if len(b) < 8 {
		return nil, errors.New("sheet: EncryptionInfo cut")
	}
	major, minor := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
	switch {
	case major == 4 && minor == 4:
		return parseAgile(b[8:])
	case major >= 2 && major <= 4 && minor == 2:
		return parseStandard(b[8:])
	}
	return nil, errCipher("encryption version")
}

// hashByName returns one of the hashes that Office writes, nil for others.
func hashByName(name string) func() hash.Hash {
	switch strings.ReplaceAll(strings.ToUpper(name), "-", "") {
	case "SHA1":
		return sha1.New
	case "SHA256":
		return sha256.New
	case "SHA384":
		return sha512.New384
	case "SHA512":
		return sha512.New
	}
	return nil
}

// spin hashes salt and password and then the sum, round by round (§2.3.4.7,
// §2.3.4.11).
func spin(ctx context.Context, h hash.Hash, salt, password []byte, rounds int) ([]byte, error) {
	h.Write(salt)
	h.Write(password)
	sum := h.Sum(nil)
	buf := make([]byte, 4+len(sum))
	copy(buf[4:], sum)
	for i := range rounds {
		if i%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		binary.LittleEndian.PutUint32(buf, uint32(i))
		h.Reset()
		h.Write(buf)
		h.Sum(buf[4:4])
	}
	return buf[4:], nil
}

// sumOf hashes the pieces one behind the other.
func sumOf(h hash.Hash, pieces ...[]byte) []byte {
	h.Reset()
	for _, p := range pieces {
		h.Write(p)
	}
	return h.Sum(nil)
}

// le32 is a number as the key derivations take it.
func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// fit cuts b to n bytes or fills it up (§2.3.4.11).
func fit(b []byte, n int, fill byte) []byte {
	if len(b) >= n {
		return b[:n]
	}
	return append(bytes.Clone(b), bytes.Repeat([]byte{fill}, n-len(b))...)
}

// unpack cuts the length off a decrypted package and the padding with it.
func unpack(stream []byte) ([]byte, error) {
	n := binary.LittleEndian.Uint64(stream)
	if n > uint64(len(stream)-8) {
		return nil, errors.New("sheet: encrypted package cut")
	}
	return stream[8 : 8+n], nil
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func validMAC(h func() hash.Hash, key, want, data []byte) bool {
	m := hmac.New(h, key)
	m.Write(data)
	return hmac.Equal(m.Sum(nil), want)
}

func utf16LE(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}
