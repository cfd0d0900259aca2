package db

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// In returns a parenthesised list of n placeholders, the first of them $first.
// Callers pad the list (see [PadIn]) so that few texts come about.
func In(first, n int) string {
	b := make([]byte, 0, 6*n+2)
	b = append(b, '(')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '$'), int64(first+i), 10)
	}
	return string(append(b, ')'))
}

// MaxIn is the most values that one list takes; longer ones are cut into chunks.
const MaxIn = 500

// PadIn repeats the last value until the list has one of a few lengths, so that
// the prepared statements stay few. The list may not be empty or longer than MaxIn.
func PadIn(args []any) []any {
	want := MaxIn
	for _, n := range [...]int{1, 4, 16, 64, 200} {
		if len(args) <= n {
			want = n
			break
		}
	}
	for len(args) < want {
		args = append(args, args[len(args)-1])
	}
	return args
}

// numbered turns $1 into ?1, the only numbered form that SQLite binds by number:
// there $1 is a *name*, and its position the order of appearance. Text in quotes
// and comments stays.
func numbered(sql string) string {
	var b strings.Builder
	b.Grow(len(sql))
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			end := i + 1
			for end < len(sql) && sql[end] != c {
				end++
			}
			end = min(end+1, len(sql))
			b.WriteString(sql[i:end]) // a doubled quote reads as two texts in a row, which is as good
			i = end
		case strings.HasPrefix(sql[i:], "--"):
			n := strings.IndexByte(sql[i:], '\n')
			if n < 0 {
				n = len(sql) - i
			}
			b.WriteString(sql[i : i+n])
			i += n
		case strings.HasPrefix(sql[i:], "/*"):
			n := strings.Index(sql[i+2:], "*/")
			if n < 0 {
				n = len(sql) - i
			} else {
				n += 4
			}
			b.WriteString(sql[i : i+n])
			i += n
		case c == '$' && i+1 < len(sql) && sql[i+1] >= '0' && sql[i+1] <= '9':
			b.WriteByte('?')
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// plain reduces an argument to nil, int64, string, []byte or bool, so that both
// engines are given the same. Ids, times and enumerations are named integers and
// strings.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64, bool:
		return v, nil
	case int:
		return int64(v), nil
	case string:
		return clean(v), nil
	case []byte:
		if v == nil {
			return []byte{}, nil // no NULLs by accident
		}
		return v, nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(r.Uint()), nil
	case reflect.String:
		return clean(r.String()), nil
	case reflect.Bool:
		return r.Bool(), nil
	}
	return nil, fmt.Errorf("db: argument of type %T", v)
}

// plains reduces all arguments in place of a copy.
func plains(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		v, err := plain(a)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// clean drops what a text column cannot hold on every engine.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
