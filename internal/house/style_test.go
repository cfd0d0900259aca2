package house

import (
	"regexp"
	"strings"
	"testing"
)

var (
	rawColour  = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?)\(`)
	tokenName  = regexp.MustCompile(`(--[a-z][a-z0-9-]*)\s*:`)
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	tokenUse   = regexp.MustCompile(`var\((--[a-z][a-z0-9-]*)`)
)

// Every colour of the site is a token of tokens.css: a raw one elsewhere escapes the
// check of contrast and the next change of the look. A token that is used exists.
func TestColoursAreTokens(t *testing.T) {
	defined, used := map[string]bool{}, map[string]string{}
	walk(t, func(path string, b []byte) {
		inUI := strings.HasPrefix(path, "internal/web/ui/") && !strings.Contains(path, "/dist/") && !strings.Contains(path, "/demo/")
		if !inUI || !strings.HasSuffix(path, ".css") && !strings.HasSuffix(path, ".ts") {
			return
		}
		text := cssComment.ReplaceAllString(string(b), "")
		for _, m := range tokenName.FindAllStringSubmatch(text, -1) {
			defined[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`"(--[a-z-]+)"`).FindAllStringSubmatch(text, -1) {
			defined[m[1]] = true // set by a script
		}
		for _, m := range tokenUse.FindAllStringSubmatch(text, -1) {
			used[m[1]] = path
		}
		if strings.HasSuffix(path, ".css") && !strings.HasSuffix(path, "/tokens.css") {
			for _, c := range rawColour.FindAllString(text, -1) {
				t.Errorf("%s has the raw colour %s; make it a token", path, c)
			}
		}
	})
	for name, path := range used {
		if !defined[name] {
			t.Errorf("%s uses %s, which nobody defines", path, name)
		}
	}
}
