package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"
)

// places tells where in the file the value behind each path of keys ends its key, or begins
// in its list: "fields/3/tianbao:kind".
type places map[string]int64

// first returns where a key stands for the first time, wherever it is.
func (p places) first(key string) int64 {
	at := int64(-1)
	for path, offset := range p {
		if (path == key || strings.HasSuffix(path, "/"+key)) && (at < 0 || offset < at) {
			at = offset
		}
	}
	return max(at, 0)
}

// lines turns offsets into lines.
func (p places) lines(b []byte) map[string]int {
	var ends []int64
	for i, c := range b {
		if c == '\n' {
			ends = append(ends, int64(i))
		}
	}
	out := make(map[string]int, len(p))
	for path, offset := range p {
		out[path] = 1 + sort.Search(len(ends), func(i int) bool { return ends[i] >= offset })
	}
	return out
}

func lineOf(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(max(offset, 0), int64(len(b)))], []byte{'\n'})
}

// maxDepth bounds how deep a definition nests; none needs more than five.
const maxDepth = 20

// level is an object or a list that scan stands in.
type level struct {
	path   string
	object bool
	value  bool // its next token is a value
	key    string
	n      int // members of the list so far
	keys   map[string]bool
}

// next is the path of the value that comes next.
func (l *level) next() string {
	name := l.key
	if !l.object {
		name = strconv.Itoa(l.n)
	}
	if l.path == "" {
		return name
	}
	return l.path + "/" + name
}

// scan notes where everything stands and refuses what encoding/json lets pass: a key
// that stands twice in an object, be it in another case. The second would silently
// replace the first.
func scan(b []byte) (places, *Fault) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	found := places{}
	var stack []level
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && len(stack) == 0 && len(found) > 0 {
			return found, nil
		}
		if err != nil {
			return nil, &Fault{lineOf(b, dec.InputOffset()), "", "文件不是完整的 JSON，请检查这一行和前一行的逗号、引号和括号。"}
		}
		path := ""
		if end := tok == json.Delim('}') || tok == json.Delim(']'); len(stack) > 0 && !end {
			top := &stack[len(stack)-1]
			if key, ok := tok.(string); ok && top.object && !top.value {
				folded := strings.ToLower(key)
				if top.keys[folded] {
					return nil, &Fault{lineOf(b, dec.InputOffset()), key, "这个键在同一处写了两次，请删去一个。"}
				}
				top.keys[folded], top.value, top.key = true, true, key
				found[top.next()] = dec.InputOffset()
				continue
			}
			path = top.next()
			if !top.object {
				found[path] = dec.InputOffset()
				top.n++
			}
			top.value = false
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if len(stack) == maxDepth {
				return nil, &Fault{lineOf(b, dec.InputOffset()), "", "括号套得太深，不是表样定义，请重新选择文件。"}
			}
			l := level{path: path, object: tok == json.Delim('{')}
			if l.object {
				l.keys = map[string]bool{}
			}
			stack = append(stack, l)
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}
