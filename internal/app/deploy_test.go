package app

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// expressions finds what a dashboard asks Prometheus, wherever it stands.
func expressions(v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			if s, ok := w.(string); ok && (k == "expr" || k == "query") {
				out = append(out, s)
			}
			out = append(out, expressions(w)...)
		}
	case []any:
		for _, w := range v {
			out = append(out, expressions(w)...)
		}
	}
	return out
}

var (
	figureName = regexp.MustCompile(`\b(tianbao|go|process)_[a-z0-9_]+`)
	selector   = regexp.MustCompile(`\b((?:tianbao|go|process)_[a-z0-9_]+)\{([^}]*(?:\{[^}]*\}[^}]*)*)\}`)
	labelName  = regexp.MustCompile(`([a-z_]+)(?:=~|!=|!~|=)"([^"]*)"`)
)

// holdFigures holds the names, labels and fixed label values of expressions against what
// the server really tells.
func holdFigures(t *testing.T, file string, exprs []string, text string) {
	t.Helper()
	for _, e := range exprs {
		for _, name := range figureName.FindAllString(e, -1) {
			if !strings.Contains(text, "\n"+name+" ") && !strings.Contains(text, "\n"+name+"{") {
				t.Errorf("%s asks for %s, which the server does not tell: %s", file, name, e)
			}
		}
		for _, m := range selector.FindAllStringSubmatch(e, -1) {
			for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
				if l[1] == "instance" || l[1] == "job" { // Prometheus adds them
					continue
				}
				if !regexp.MustCompile(`\n` + m[1] + `\{[^\n]*\b` + l[1] + `="`).MatchString(text) {
					t.Errorf("%s: %s has no label %s: %s", file, m[1], l[1], e)
				}
				if l[1] == "route" && !strings.Contains(text, `route="`+l[2]+`"`) && !isRoute(l[2]) {
					t.Errorf("%s: there is no route %s", file, l[2])
				}
			}
		}
	}
	if len(exprs) < 15 {
		t.Errorf("%s: only %d expressions were found", file, len(exprs))
	}
}

// routes are the patterns that the API's document knows.
var routes = sync.OnceValue(func() map[string]bool {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "openapi.json"))
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err != nil || json.Unmarshal(b, &doc) != nil {
		return nil
	}
	out := make(map[string]bool)
	for path, methods := range doc.Paths {
		for method := range methods {
			out[strings.ToUpper(method)+" "+path] = true
		}
	}
	return out
})

func isRoute(pattern string) bool { return routes()[pattern] }

// holdDashboards holds what lies in deploy/ for the monitoring against what a server tells.
func holdDashboards(t *testing.T, text string) {
	t.Helper()
	var dash any
	if err := json.Unmarshal([]byte(deployed(t, "grafana/tianbao.json")), &dash); err != nil {
		t.Fatal(err)
	}
	holdFigures(t, "grafana/tianbao.json", expressions(dash), text)
	alerts := deployed(t, "prometheus/alerts.yml")
	var exprs []string
	for _, m := range regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(alerts, -1) {
		exprs = append(exprs, m[1])
	}
	holdFigures(t, "prometheus/alerts.yml", exprs, text)

	// Each alert leads to a paragraph that is there.
	book, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	led := regexp.MustCompile(`runbook: "runbook: ([^"]+)"`).FindAllStringSubmatch(alerts, -1)
	if len(led) != len(exprs) {
		t.Errorf("%d of %d alerts lead to the runbook", len(led), len(exprs))
	}
	for _, m := range led {
		if !strings.Contains(string(book), "\n**"+m[1]+".**") {
			t.Errorf("the runbook has no paragraph %q", m[1])
		}
	}
}

// flagsOf are the flags that a command knows, as it tells them itself.
func flagsOf(t *testing.T, command string) []string {
	t.Helper()
	var out bytes.Buffer
	Run(t.Context(), []string{command, "-h"}, func(string) string { return "" }, strings.NewReader(""), &out, &out)
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  -([a-z0-9-]+)`).FindAllStringSubmatch(out.String(), -1) {
		names = append(names, m[1])
	}
	return names
}

// Unit, image and compose file start the program with flags and settings that it has.
func TestDeployFilesKnowTheProgram(t *testing.T) {
	flags := map[string][]string{"serve": flagsOf(t, "serve"), "health": flagsOf(t, "health"), "drill": flagsOf(t, "drill")}
	if len(flags["serve"]) < 40 || len(flags["health"]) < 2 {
		t.Fatalf("flags were not found: %v", flags)
	}
	for _, file := range []string{"tianbao.service", "tianbao-drill.service", "Dockerfile", "compose.yaml"} {
		text := deployed(t, file)
		found := 0
		for line := range strings.Lines(text) {
			command := ""
			for name := range flags {
				if regexp.MustCompile(`(tianbao["',]*|\[)[ "]*` + name + `\b`).MatchString(line) {
					command = name
				}
			}
			if command == "" || strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			found++
			for _, m := range regexp.MustCompile(`--([a-z0-9-]+)`).FindAllStringSubmatch(line, -1) {
				health := strings.Contains(line, "HEALTHCHECK") && slices.Contains([]string{"interval", "timeout", "start-period"}, m[1])
				if !health && !slices.Contains(flags[command], m[1]) {
					t.Errorf("%s: tianbao %s has no --%s", file, command, m[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: the command was not found", file)
		}
		for _, m := range regexp.MustCompile(`TIANBAO_([A-Z_]+)=`).FindAllStringSubmatch(text, -1) {
			if name := strings.ToLower(strings.ReplaceAll(m[1], "_", "-")); !slices.Contains(flags["serve"], name) {
				t.Errorf("%s: TIANBAO_%s is no setting", file, m[1])
			}
		}
	}
	for _, want := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "LimitCORE=0", "Type=notify", "User=tianbao"} {
		if !strings.Contains(deployed(t, "tianbao.service"), "\n"+want+"\n") {
			t.Errorf("the unit lacks %s", want)
		}
	}
	for _, want := range []string{"CGO_ENABLED=0", "FROM scratch", "USER 65532"} {
		if !strings.Contains(deployed(t, "Dockerfile"), want) {
			t.Errorf("the image lacks %s", want)
		}
	}
}

// systemd itself finds nothing wrong with the unit, and little that it leaves open.
func TestUnitVerifies(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	dir := t.TempDir()
	units := []string{"tianbao.service", "tianbao.socket", "tianbao-drill.service", "tianbao-drill.timer"}
	verify := []string{"verify"}
	for _, name := range units {
		verify = append(verify, filepath.Join(dir, name))
		text := strings.ReplaceAll(deployed(t, name), "/usr/local/bin/tianbao", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(analyze, verify...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	for _, name := range []string{"tianbao.service", "tianbao-drill.service"} {
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// holdHealth: a program that is well says so to a container, and one that is not there
// does not. It stops the server.
func holdHealth(t *testing.T, s *serving) {
	t.Helper()
	addr := strings.TrimPrefix(s.site, "http://")
	ask := func(want int, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if got := Run(t.Context(), append([]string{"health"}, args...), func(string) string { return "" }, strings.NewReader(""), &out, &out); got != want {
			t.Errorf("%v: exit %d, %s", args, got, out.String())
		}
	}
	ask(0, "--addr", addr)
	ask(0, "--addr", strings.Replace(addr, "127.0.0.1", "0.0.0.0", 1), "--ready")
	ask(1, "--addr", "192.0.2.1:80")
	ask(1, "--addr", "nonsense")
	s.stop()
	ask(1, "--addr", addr)
}
