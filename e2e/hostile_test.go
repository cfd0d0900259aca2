package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// payloads returns at least n different attempts to be run as script by a browser: in
// text, in attributes, in addresses, in styles, split, encoded and nested. Each would
// call pwned with its number.
func payloads(n int) []string {
	shapes := []string{
		`<script>pwned(%d)</script>`, `"><script>pwned(%d)</script>`, `'><script>pwned(%d)</script>`, `</script><script>pwned(%d)</script>`,
		`</title><script>pwned(%d)</script>`, `</textarea><script>pwned(%d)</script>`, `--><script>pwned(%d)</script>`, `]]><script>pwned(%d)</script>`,
		`<scr<script>ipt>pwned(%d)</scr</script>ipt>`, `<SCRIPT>pwned(%d)</SCRIPT>`, "<script\t>pwned(%d)</script\t>", `<script/x>pwned(%d)</script>`,
		`<img src=x onerror=pwned(%d)>`, `<img src="x" onerror="pwned(%d)">`, `"><img src=x onerror=pwned(%d)>`, `<img/src=x/onerror=pwned(%d)>`,
		`<svg onload=pwned(%d)>`, `<svg/onload=pwned(%d)>`, `<svg><script>pwned(%d)</script></svg>`, `<svg><animate onbegin=pwned(%d) attributeName=x dur=1s>`,
		`<body onload=pwned(%d)>`, `<iframe srcdoc="<script>parent.pwned(%d)</script>">`, `<iframe src="javascript:parent.pwned(%d)">`, `<a href="javascript:pwned(%d)">x</a>`,
		`javascript:pwned(%d)`, `<details open ontoggle=pwned(%d)>`, `<input autofocus onfocus=pwned(%d)>`, `<select autofocus onfocus=pwned(%d)>`,
		`<video><source onerror=pwned(%d)></video>`, `<audio src=x onerror=pwned(%d)>`, `<marquee onstart=pwned(%d)>x</marquee>`, `<object data="javascript:pwned(%d)">`,
		`<embed src="javascript:pwned(%d)">`, `<math><mi xlink:href="javascript:pwned(%d)">x</mi></math>`, `<form><button formaction="javascript:pwned(%d)">x</button></form>`,
		`<meta http-equiv="refresh" content="0;url=javascript:pwned(%d)">`, `<base href="javascript:pwned(%d)//">`, `<link rel=stylesheet href="javascript:pwned(%d)">`,
		`<style>@import 'javascript:pwned(%d)'</style>`, `<div style="background:url(javascript:pwned(%d))">`, `" onmouseover="pwned(%d)" x="`, `' autofocus onfocus='pwned(%d)`,
		`" autofocus onfocus=pwned(%d) x="`, "`-pwned(%d)-`", `${pwned(%d)}`, `{{constructor.constructor('pwned(%d)')()}}`, `#{pwned(%d)}`, `<%%= pwned(%d) %%>`,
		`';pwned(%d);//`, `";pwned(%d);//`, `\";pwned(%d);//`, `</style><script>pwned(%d)</script>`, `<noscript><p title="</noscript><img src=x onerror=pwned(%d)>">`,
		`<template><script>pwned(%d)</script></template>`, `<xmp><p title="</xmp><svg/onload=pwned(%d)>">`, `&lt;script&gt;pwned(%d)&lt;/script&gt;`, `&#60;script&#62;pwned(%d)&#60;/script&#62;`,
		`%%3Cscript%%3Epwned(%d)%%3C/script%%3E`, `\u003cscript\u003epwned(%d)\u003c/script\u003e`, "<script>pwned(%d)\u2028</script>", `＜script＞pwned(%d)＜/script＞`,
		`<custom-x onfocus=pwned(%d) tabindex=1 autofocus>`, `<p id=x tabindex=1 onfocusin=pwned(%d)>`, `<keygen autofocus onfocus=pwned(%d)>`, `data:text/html,<script>pwned(%d)</script>`,
	}
	var out []string
	for i := 0; len(out) < n; i++ {
		p := fmt.Sprintf(shapes[i%len(shapes)], i)
		if round := i / len(shapes); round > 0 { // the shapes again, within what people type
			p = []string{"", "局", "=", " ", "张", "1", "<b>", "\"", "'"}[round%9] + p
		}
		out = append(out, p)
	}
	return out
}

// odd returns n values that are made to confuse logs: line ends, controls, escapes of
// terminals, broken characters, quotes, JSON, formats and very long text.
func odd(n int, rnd *rand.Rand) []string {
	seeds := []string{
		"a\nlevel=ERROR msg=forged", "a\r\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "\"}\n{\"msg\":\"forged\"}", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07",
		"\x00", "\x08\x08\x08", "\x7f", "\xff\xfe\xfd", "\xed\xa0\x80", "\xc0\xaf", "\u2028\u2029", "\u202egpj.exe", "\ufeff", "\u0000", "%s%s%n%x", "%!v(PANIC=x)",
		"${jndi:ldap://x}", "{{.}}", "' OR 1=1 --", "\"; DROP TABLE trail; --", "\\\"", "\\", "</script>", "=cmd|'/c calc'!A1", "../../../etc/passwd", "🀄️🏮", "ﷺ", "Z̴̡a̶l̸g̷o",
	}
	var out []string
	for len(out) < n {
		a, b := seeds[rnd.IntN(len(seeds))], seeds[rnd.IntN(len(seeds))]
		s := a + fmt.Sprint(len(out)) + b
		if rnd.IntN(40) == 0 {
			s += strings.Repeat(b, 200)
		}
		out = append(out, s)
	}
	return out
}

// oddPaths returns n paths that scanners try: files that should not be there, climbs,
// encodings, other methods' names, backups, and random bytes.
func oddPaths(n int, rnd *rand.Rand) []string {
	stems := []string{
		".git/config", ".git/HEAD", ".env", ".svn/entries", ".DS_Store", "web.config", "WEB-INF/web.xml", "phpinfo.php", "wp-login.php", "server-status", "actuator/env", "actuator/heapdump",
		"debug/pprof/", "debug/pprof/heap", "debug/vars", "metrics", "swagger.json", "graphql", "console", "admin", "manager/html", "login.action", "struts", "solr/", "jenkins/", "api/v1/users",
		"etc/passwd", "proc/self/environ", "tianbao.db", "data/db/tianbao.db", "keys/ring.json", "audit/checkpoints.jsonl", "go.mod", "internal/web/routes.go", "backup.zip", "db.sql", "id_rsa",
		"ui/", "ui/../embed.go", "ui/dist/", "help/img/", "help/img/../manual.zh.md", "reports/", "reports/0", "reports/-1", "reports/1/../../users", "reports/99999999999999999999", "reports/1%00",
		"notices/1e9", "notices/%2e%2e", "forms/x/1", "forms/asset-role/0", "forms/asset-role/1/rules/", "campaigns/1/rows", "users/", "users/%2f", "audit/", "audit/export", "setup/", "setup/x", "session/", "signin/",
	}
	climbs := []string{"", "../", "..%2f", "%2e%2e/", "..%5c", "%252e%252e%252f", ".%00/", "..;/", "./", "//", "%c0%ae%c0%ae/", "\u2025/", "ui/../", "ui/..%2f", "help/img/..%2f..%2f", "static/"}
	tails := []string{"", "~", ".bak", ".old", ".swp", "%00", "%00.js", "?debug=1", "?x=<script>", ";x=1", "/.", "/..", "%20", "::$DATA", "%0d%0aX-Injected:%201", "#", ".json", "?q=%27", "?%s%s%n"}
	var out []string
	for i := 0; len(out) < n; i++ {
		p := "/" + climbs[rnd.IntN(len(climbs))] + stems[i%len(stems)] + tails[rnd.IntN(len(tails))]
		if i%10 == 9 {
			for range rnd.IntN(60) {
				p += fmt.Sprintf("%%%02x", rnd.IntN(256))
			}
		}
		out = append(out, p)
	}
	return out
}
