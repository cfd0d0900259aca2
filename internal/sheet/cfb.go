package sheet

import (
	"encoding/binary"
	"errors"
	"io"
)

// errCFB is a compound file whose directory is not fit to be read.
var errCFB = errors.New("cfb: directory broken, or nested beyond reason")

const (
	cfbEnd = 0xFFFFFFFE // end of a chain of sectors
	cfbNil = 0xFFFFFFFF // no entry
	// maxCFBEntries bounds the directory, maxCFBDepth its folders within folders. A
	// workbook with macros and embedded objects has some hundred entries, three deep.
	maxCFBEntries = 1 << 16
	maxCFBDepth   = 32
)

// cfbLinks are the neighbours of a directory entry: siblings form a tree, a folder
// holds the root of another.
type cfbLinks struct{ left, right, child uint32 }

// safeCFB walks over the directory of a compound file ([MS-CFB] §2.6) before the
// library does: that one copies the path of every folder, so a file of 20 MB whose
// folders lie within each other costs it minutes and gigabytes.
func safeCFB(r io.ReaderAt, size int64) error {
	head := make([]byte, 512)
	if _, err := r.ReadAt(head, 0); err != nil {
		return errCFB
	}
	word := func(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	var sector int64
	switch binary.LittleEndian.Uint16(head[30:]) {
	case 9:
		sector = 512
	case 12:
		sector = 4096
	default:
		return errCFB
	}
	buf := make([]byte, sector)
	read := func(n uint32) error {
		if _, err := r.ReadAt(buf, (int64(n)+1)*sector); err != nil {
			return errCFB
		}
		return nil
	}
	most := int(size / sector) // no chain is longer
	var fat []uint32           // sectors of the allocation table
	for at := 76; at < 512; at += 4 {
		fat = append(fat, word(head, at))
	}
	for n, next := int(word(head, 72)), word(head, 68); n > 0; n-- {
		if len(fat) > 2*most+109 || read(next) != nil {
			return errCFB
		}
		for at := 0; at < int(sector)-4; at += 4 {
			fat = append(fat, word(buf, at))
		}
		next = word(buf, int(sector)-4)
	}
	var entries []cfbLinks
	var link [4]byte
	for n, steps := word(head, 48), 0; n != cfbEnd; steps++ {
		if steps > most || read(n) != nil {
			return errCFB
		}
		for at := 0; at < len(buf); at += 128 {
			entries = append(entries, cfbLinks{word(buf, at+68), word(buf, at+72), word(buf, at+76)})
		}
		if len(entries) > maxCFBEntries {
			return errCFB
		}
		per := uint32(sector / 4)
		if int(n/per) >= len(fat) {
			return errCFB
		}
		if _, err := r.ReadAt(link[:], (int64(fat[n/per])+1)*sector+int64(n%per)*4); err != nil {
			return errCFB
		}
		n = word(link[:], 0)
	}
	return treeCFB(entries)
}

// treeCFB fails unless the entries that can be reached form a tree that is not deep.
func treeCFB(entries []cfbLinks) error {
	type visit struct {
		entry uint32
		depth int
	}
	seen := make([]bool, len(entries))
	todo := []visit{{0, 0}}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v.entry == cfbNil {
			continue
		}
		if int64(v.entry) >= int64(len(entries)) || seen[v.entry] || v.depth > maxCFBDepth {
			return errCFB
		}
		seen[v.entry] = true
		e := entries[v.entry]
		todo = append(todo, visit{e.left, v.depth}, visit{e.right, v.depth}, visit{e.child, v.depth + 1})
	}
	return nil
}
