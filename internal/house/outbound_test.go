package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// outbound are the packages of the product that may open connections or start programs,
// each with the reason. Whoever adds one says in docs/security.md, line 45, how its
// target is chosen and verified.
var outbound = map[string]string{
	"tianbao/internal/db":      "the PostgreSQL server that the operator names: the dialer that pgx dials it with",
	"tianbao/internal/outward": "makes the client of those below; whoever asks it for one is held to this list too",
	"tianbao/internal/load":    "no part of the product: starts a server and puts a load on it",
	"tianbao/client":           "a library for the programs of others, no part of the server",
	"tianbao/internal/mail":    "the mail server that the operator names",
	"tianbao/internal/mailbox": "the mailbox that the operator names",
	"tianbao/internal/scim":    "the platform that the operator names, to make accounts there",
	"tianbao/internal/daemon":  "the service manager that the environment names, by a local socket of datagrams",
	"tianbao/internal/webhook": "the one address that the operator names",
	"tianbao/internal/oidc":    "the issuer that the operator names, and no other host",
}

// dialing are the names of the standard library that open a connection or start a
// program, by import path; "*" stands for all of a package.
var dialing = map[string][]string{
	"tianbao/internal/outward": {"Client"},

	"net":               {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Lookup*", "Resolver", "DefaultResolver"},
	"crypto/tls":        {"Dial", "DialWithDialer", "Dialer", "Client"},
	"net/http":          {"Get", "Post", "PostForm", "Head", "Client", "DefaultClient", "Transport", "DefaultTransport"},
	"net/http/httputil": {"*"},
	"net/smtp":          {"*"},
	"net/rpc":           {"*"},
	"os/exec":           {"*"},
	"plugin":            {"*"},
	"syscall":           {"Connect", "Exec", "ForkExec", "StartProcess"},
	"os":                {"StartProcess"},
}

// SEC-45: the product opens no connection but that to its database, which is pgx's, and
// those listed above: no other code of its own can be led to an address that somebody chose (SSRF).
func TestSEC45OutgoingConnections(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(testOnly, p.ImportPath) || strings.HasPrefix(p.ImportPath, "tianbao/cmd/") || outbound[p.ImportPath] != "" {
			continue
		}
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, use := range dials(file) {
				t.Errorf("%s/%s uses %s", p.ImportPath, f, use)
			}
		}
	}
}

// dials returns the uses of dialing names in a file.
func dials(file *ast.File) []string {
	local := map[string]string{} // the name in the file by import path
	for _, imp := range file.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil || dialing[path] == nil {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		local[name] = path
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, name := range dialing[local[id.Name]] {
			prefix, star := strings.CutSuffix(name, "*")
			if name == sel.Sel.Name || star && strings.HasPrefix(sel.Sel.Name, prefix) {
				out = append(out, local[id.Name]+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return out
}

func TestDialsAreFound(t *testing.T) {
	const src = `package x
import ("net"; web "net/http"; "os/exec")
var a, _ = net.Dial("tcp", "")
var b = &web.Client{}
var c = exec.Command("x")
var d = net.ParseIP("")
var e, _ = net.LookupHost("")`
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"net.Dial", "net/http.Client", "os/exec.Command", "net.LookupHost"}
	if got := dials(file); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
