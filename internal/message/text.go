package message

import (
	"strconv"
	"strings"
)

// Block is a piece of a plain text as a page shows it.
type Block struct {
	Kind  string   // "text", "dots" or "numbers"
	Lines []string // of a text its lines, of a list its items
	Start int      // of numbers the first
}

// Blocks parts a plain text: paragraphs at empty lines; runs of lines that begin with a
// dash or a dot, or with 1. 2. 3., are lists. Everything else is text as it stands, so
// there is no markup in which something could hide.
func Blocks(text string) (out []Block) {
	open := false // the last block takes more lines
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = strings.TrimRight(line, " \t　")
		if strings.TrimSpace(line) == "" {
			open = false
			continue
		}
		kind, n, rest := "text", 0, line
		if item, ok := dotted(line); ok {
			kind, rest = "dots", item
		} else if k, item, ok := numberedItem(line); ok {
			kind, n, rest = "numbers", k, item
		}
		last := len(out) - 1
		if open && out[last].Kind == kind && (kind != "numbers" || n == out[last].Start+len(out[last].Lines)) {
			out[last].Lines = append(out[last].Lines, rest)
			continue
		}
		out = append(out, Block{Kind: kind, Lines: []string{rest}, Start: n})
		open = true
	}
	return out
}

func dotted(line string) (string, bool) {
	line = strings.TrimLeft(line, " \t　")
	for _, mark := range []string{"- ", "* ", "•", "·"} {
		if item, ok := strings.CutPrefix(line, mark); ok && strings.TrimSpace(item) != "" {
			return strings.TrimSpace(item), true
		}
	}
	return "", false
}

func numberedItem(line string) (int, string, bool) {
	line = strings.TrimLeft(line, " \t　")
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	if digits == 0 || digits > 3 {
		return 0, "", false
	}
	n, err := strconv.Atoi(line[:digits])
	for _, mark := range []string{". ", "．", "、"} {
		if item, ok := strings.CutPrefix(line[digits:], mark); ok && err == nil && strings.TrimSpace(item) != "" {
			return n, strings.TrimSpace(item), true
		}
	}
	return 0, "", false
}
