package letter

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// book is the least that is told as a workbook by its content.
func book(t testing.TB) []byte {
	t.Helper()
	return pack(t, map[string]string{"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"})
}

func pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, NonUTF8: strings.HasPrefix(name, "\xb5")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func b64(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(s) > 76 {
		out.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return out.String() + s + "\r\n"
}

// mail writes lines with CRLF.
func mail(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func options() Options {
	return Options{Limits: DefaultLimits(), Trusted: "mx.czt.example", Own: []string{"tianbao@czt.example"}}
}

type shown struct {
	ID, From, Subject, Text string
	Files                   []string
	Auto                    Auto
}

func show(l *Letter) shown {
	s := shown{ID: l.ID, From: l.From, Subject: l.Subject, Text: l.Text, Auto: l.Auto}
	for _, f := range l.Files {
		s.Files = append(s.Files, string(f.Kind)+" "+f.Name)
	}
	return s
}

func TestClients(t *testing.T) {
	const name = "资产角色填报表（锦州市第二示范小学）.xlsx"
	data := b64(book(t))
	half := base64.StdEncoding.EncodeToString([]byte(gbk(t, "资产角色填报表")))
	cut := base64.StdEncoding.EncodeToString([]byte("填报表")[:4]) + "?= =?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte("填报表")[4:])
	for _, c := range []struct {
		name string
		raw  string
		want shown
	}{
		{"QQ Mail", mail(
			"X-QQ-mid: webmail000t1", "X-QQ-FEAT: abc", "X-Originating-IP: 192.0.2.7",
			`From: "=?gb18030?B?`+base64.StdEncoding.EncodeToString([]byte(gbk(t, "示范小学")))+`?=" <900100@qq.example>`,
			`To: "=?gb18030?B?z7XNsw==?=" <tianbao@czt.example>`,
			"Subject: =?gb18030?B?"+half+"?=", "Mime-Version: 1.0",
			`Content-Type: multipart/mixed;`, `	boundary="----=_NextPart_6523_09A"`, "Content-Transfer-Encoding: 8Bit",
			"Message-ID: <tencent_1234567890ABCDEF@qq.example>", "",
			"This is a multi-part message in MIME format.", "",
			"------=_NextPart_6523_09A", `Content-Type: multipart/alternative;`, `	boundary="----=_NextPart_6523_0A1";`, "",
			"------=_NextPart_6523_0A1", "Content-Type: text/plain;", `	charset="gb18030"`, "Content-Transfer-Encoding: base64", "",
			b64([]byte(gbk(t, "请查收"))),
			"------=_NextPart_6523_0A1", `Content-Type: text/html;`, `	charset="gb18030"`, "Content-Transfer-Encoding: base64", "",
			b64([]byte(gbk(t, "<div>请查收</div>"))), "------=_NextPart_6523_0A1--", "",
			"------=_NextPart_6523_09A", "Content-Type: application/octet-stream;", `	charset="gb18030";`,
			`	name="=?gb18030?B?`+base64.StdEncoding.EncodeToString([]byte(gbk(t, name)))+`?="`,
			"Content-Disposition: attachment; filename=\"=?gb18030?B?"+base64.StdEncoding.EncodeToString([]byte(gbk(t, name)))+`?="`,
			"Content-Transfer-Encoding: base64", "", data, "------=_NextPart_6523_09A--",
		), shown{ID: "tencent_1234567890ABCDEF@qq.example", From: "900100@qq.example", Subject: "资产角色填报表", Text: "请查收", Files: []string{"workbook " + name}}},

		{"163 webmail", mail(
			"Received: from xx$163.example ( [192.0.2.9] ) by ajax-webmail-wmsvr", "Date: Mon, 15 Sep 2025 09:00:00 +0800 (CST)",
			"From: =?GBK?B?"+base64.StdEncoding.EncodeToString([]byte(gbk(t, "经办")))+"?= <Clerk_01@163.example>", "To: tianbao@czt.example",
			"Subject: =?GBK?Q?=CC=EE=B1=A8?=", "X-Priority: 3", "X-Mailer: Coremail Webmail Server",
			`Content-Type: multipart/mixed; `, `	boundary="----=_Part_12_34.56"`, "MIME-Version: 1.0", "Message-ID: <5f0a.1.18.Coremail.clerk@163.example>", "",
			"------=_Part_12_34.56", `Content-Type: multipart/alternative; `, `	boundary="----=_Part_13"`, "",
			"------=_Part_13", "Content-Type: text/plain; charset=GBK", "Content-Transfer-Encoding: quoted-printable", "", "=CC=EE=B1=A8=B1=ED=BC=FB=", "=B8=BD=BC=FE", "------=_Part_13--", "",
			"------=_Part_12_34.56", `Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; `, `	name*0*=GBK''%D7%CA%B2%FA; name*1*=%BD%C7%C9%AB%2E; name*2=xlsx`,
			"Content-Transfer-Encoding: base64", `Content-Disposition: attachment; filename*="GBK''%D7%CA%B2%FA%BD%C7%C9%AB%2Exlsx"`, "", data, "------=_Part_12_34.56--",
		), shown{ID: "5f0a.1.18.Coremail.clerk@163.example", From: "clerk_01@163.example", Subject: "填报", Text: "填报表见附件", Files: []string{"workbook 资产角色.xlsx"}}},

		{"Outlook with winmail.dat", mail(
			"From: zhang <clerk@bureau.example>", "To: <tianbao@czt.example>", "Subject: =?utf-8?Q?=E5=A1=AB=E6=8A=A5?=", "X-MS-TNEF-Correlator: <0001>", "X-Auto-Response-Suppress: All",
			`Content-Type: multipart/mixed; boundary="_000_0A"`, "MIME-Version: 1.0", "Message-ID:", " <AM0PR01MB1234@eur.example>", "",
			"--_000_0A", `Content-Type: text/plain; charset="utf-8"`, "Content-Transfer-Encoding: 8bit", "", "见附件", "--_000_0A",
			`Content-Type: application/ms-tnef; name="winmail.dat"`, "Content-Transfer-Encoding: base64", "", b64([]byte("\x78\x9f\x3e\x22rest")), "--_000_0A--",
		), shown{ID: "AM0PR01MB1234@eur.example", From: "clerk@bureau.example", Subject: "填报", Text: "见附件", Files: []string{"tnef winmail.dat"}}},

		{"Foxmail with a character cut in two", mail(
			"Date: Mon, 15 Sep 2025 10:00:00 +0800", `From: "clerk@163.example" <clerk@163.example>`, "To: tianbao <tianbao@czt.example>",
			"Subject: =?utf-8?B?"+cut+"?=", "X-Mailer: Foxmail 7.2.25.259[cn]", "Mime-Version: 1.0", "Message-ID: <202509151000000000001@163.example>",
			`Content-Type: multipart/related;`, `	boundary="----=_001_NextPart0_=----"`, "", "This is a multi-part message in MIME format.", "",
			"------=_001_NextPart0_=----", `Content-Type: text/html;`, `	charset="utf-8"`, "Content-Transfer-Encoding: quoted-printable", "",
			"<html><head><style>a{}</style></head><body>=E5=A1=AB=E6=8A=A5<br>=E4=BA=8C</body></html>", "",
			"------=_001_NextPart0_=----", `Content-Type: image/png;`, `	name="logo.png"`, "Content-ID: <_Foxmail.1>", "Content-Transfer-Encoding: base64", "", b64([]byte("\x89PNG")),
			"------=_001_NextPart0_=----", `Content-Type: application/octet-stream;`, `	name="=?utf-8?B?`+cut+`?=.xlsx"`, "Content-Transfer-Encoding: base64",
			`Content-Disposition: attachment;`, `	filename="=?utf-8?B?`+cut+`?=.xlsx"`, "", data, "------=_001_NextPart0_=------",
		), shown{ID: "202509151000000000001@163.example", From: "clerk@163.example", Subject: "填报表", Text: "填报\n二", Files: []string{"workbook 填报表.xlsx"}}},

		{"raw GBK in the names, LF alone, no end", strings.ReplaceAll(mail(
			"From: "+gbk(t, "张三")+" <a@b.example>", "Subject: "+gbk(t, "填报表"), "Content-Type: multipart/mixed; boundary=x", "",
			"--x", "Content-Type: application/octet-stream; name="+gbk(t, "填报 表.xlsx"), `Content-Disposition: attachment; filename="C:\tmp\`+gbk(t, "填报 表.xlsx")+`"`, "Content-Transfer-Encoding: base64", "", data,
		), "\r\n", "\n"), shown{From: "a@b.example", Subject: "填报表", Files: []string{"workbook 填报 表.xlsx"}}},

		{"a phone's mail that is the file itself", mail(
			"From: a@b.example", "Subject: x", "Message-ID: <1@b.example>", `Content-Type: application/vnd.ms-excel; name="a.xls"`, "Content-Transfer-Encoding: base64", "",
			b64(append([]byte(magicCFB), utf16LE("Workbook")...)),
		), shown{ID: "1@b.example", From: "a@b.example", Subject: "x", Files: []string{"workbook a.xls"}}},

		{"forwarded as an attachment, packed, among others", mail(
			"From: a@b.example", "Subject: Fw: x", "Content-Type: multipart/mixed; boundary=o", "",
			"--o", "Content-Type: message/rfc822", "Content-Disposition: attachment", "",
			"From: c@d.example", "Subject: inner", "Content-Type: multipart/mixed; boundary=oo", "",
			"--oo", "Content-Type: application/zip; name=a.zip", "Content-Transfer-Encoding: base64", "",
			b64(pack(t, map[string]string{"\xb5\xa5\xce\xbb/\xb1\xed.xlsx": string(book(t))})), "--oo--", "",
			"--o", "Content-Type: application/x-rar-compressed; name=b.rar", "", "Rar!\x1a\x07\x00", "--o",
			"Content-Type: application/pdf; name=c.pdf", "", "%PDF-1.4", "--o--",
		), shown{From: "a@b.example", Subject: "Fw: x", Files: []string{"workbook 表.xlsx", "archive b.rar", "other c.pdf"}}},

		{
			"8bit csv as text", mail("From: a@b.example", "Content-Type: multipart/mixed; boundary=o", "", "--o", `Content-Type: text/plain; name="a.csv"; charset=gbk`, "Content-Transfer-Encoding: 8bit", "", gbk(t, "单位,姓名"), "--o--"),
			shown{From: "a@b.example", Files: []string{"workbook a.csv"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Read([]byte(c.raw), options())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, show(l)); diff != "" {
				t.Error(diff)
			}
			for _, f := range l.Files {
				if f.Kind == Workbook && strings.HasSuffix(f.Name, ".xlsx") && !bytes.Equal(f.Data, book(t)) {
					t.Errorf("%s has %d bytes, not those that were sent", f.Name, len(f.Data))
				}
			}
		})
	}
}

func TestAuto(t *testing.T) {
	for _, c := range []struct {
		name string
		head []string
		want Auto
	}{
		{"a person's", []string{"Subject: 填报"}, ""},
		{"a person's answer to us", []string{"Subject: Re: 回执", "In-Reply-To: <post-1@czt.example>"}, ""},
		{"Auto-Submitted no", []string{"Auto-Submitted: no"}, ""},
		{"Outlook's suppression", []string{"X-Auto-Response-Suppress: All"}, ""},
		{"a bounce", []string{"Return-Path: <>"}, AutoBounce},
		{"a report", []string{"Content-Type: multipart/report; report-type=delivery-status; boundary=x"}, AutoBounce},
		{"an absence note", []string{"Auto-Submitted: auto-replied; x=y"}, AutoReply},
		{"a webmail's absence note", []string{"Subject: =?utf-8?B?6Ieq5Yqo5Zue5aSNOuWhq+aKpQ==?="}, AutoReply},
		{"an old vacation program", []string{"Precedence: Auto_Reply"}, AutoReply},
		{"in bulk", []string{"Precedence: bulk"}, AutoList},
		{"a list", []string{"List-Id: <x.example>"}, AutoList},
		{"our own come back", []string{"X-Loop: <TIANBAO@czt.example>"}, AutoLoop},
		{"somebody else's loop mark", []string{"X-Loop: other@czt.example"}, ""},
		{"round in circles", slicesRepeat("Received: from a by b", 60), AutoLoop},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Read([]byte(mail(append(c.head, "From: a@b.example", "", "x")...)), options())
			if err != nil || l.Auto != c.want {
				t.Errorf("%q, %v; want %q", l.Auto, err, c.want)
			}
		})
	}
	for from, want := range map[string]Auto{"MAILER-DAEMON@mx.example": AutoBounce, "tianbao@czt.example": AutoLoop, "noreply@b.example": AutoReply} {
		if l, err := Read([]byte(mail("From: "+from, "", "x")), options()); err != nil || l.Auto != want {
			t.Errorf("from %s: %q, %v", from, l.Auto, err)
		}
	}
}

func slicesRepeat(s string, n int) (out []string) {
	for range n {
		out = append(out, s)
	}
	return out
}

func TestSender(t *testing.T) {
	for in, want := range map[string]string{
		"a@b.example":                              "a@b.example",
		`"Zhang, San (finance)" <A.B@B.example>`:   "a.b@b.example",
		`"x@evil.example" <a@b.example>`:           "a@b.example",
		"a@b.example (c@d.example)":                "a@b.example",
		"<a@b.example>, <c@d.example>":             "",
		"a@b.example, c@d.example":                 "",
		"undisclosed":                              "",
		"a@b..example":                             "",
		"a b@c.example <a\x00@b.example>":          "",
		"=?utf-8?B?PGNAZC5leGFtcGxlPg==?= <a@b.c>": "a@b.c",
	} {
		l, err := Read([]byte(mail("From: "+in, "", "x")), options())
		if l.From != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", in, l.From, err, want)
		}
	}
	if _, err := Read([]byte(mail("From: a@b.example", "From: c@d.example", "", "x")), options()); !errors.Is(err, FaultSender) {
		t.Errorf("two From: %v", err)
	}
}

func TestAuth(t *testing.T) {
	for _, c := range []struct {
		name           string
		head           []string
		want           Auth
		passed, failed bool
	}{
		{"nobody looked", nil, Auth{}, false, false},
		{
			"all pass",
			[]string{"Authentication-Results: mx.czt.example 1; spf=pass smtp.mailfrom=a@bureau.example; dkim=pass (2048-bit; key) header.d=bureau.example; dmarc=pass (p=reject) header.from=bureau.example"},
			Auth{SPF: "pass", DKIM: "pass", DMARC: "pass", Aligned: true},
			true, false,
		},
		{
			"in three fields",
			[]string{"Authentication-Results: mx.czt.example; spf=fail smtp.mailfrom=x.example", "Authentication-Results: mx.czt.example; dkim=none", "Authentication-Results: mx.czt.example; dmarc=fail"},
			Auth{SPF: "fail", DKIM: "none", DMARC: "fail"},
			false, true,
		},
		{"the sender wrote it himself", []string{"Received: from x by mx.czt.example", "Authentication-Results: evil.example; dmarc=pass"}, Auth{}, false, false},
		{
			"the sender wrote ours below",
			[]string{"Authentication-Results: mx.czt.example; spf=softfail smtp.mailfrom=x.example", "Received: from x by mx.czt.example", "Authentication-Results: mx.czt.example; dmarc=pass"},
			Auth{SPF: "softfail"},
			false, false,
		},
		{"hidden in a comment", []string{`Authentication-Results: mx.czt.example; spf=none (dmarc=pass; dkim=pass) reason="; dmarc=pass"`}, Auth{SPF: "none"}, false, false},
		{"another domain passes", []string{"Authentication-Results: mx.czt.example; dkim=pass header.d=gov.cn; spf=pass smtp.mailfrom=b@other.example"}, Auth{SPF: "pass", DKIM: "pass"}, false, false},
		{"below the organisation", []string{"Authentication-Results: mx.czt.example; dkim=pass header.i=@mail.bureau.example"}, Auth{DKIM: "pass", Aligned: true}, true, false},
		{"forwarded", []string{"Authentication-Results: mx.czt.example; spf=fail smtp.mailfrom=x.example; dkim=pass header.d=bureau.example"}, Auth{SPF: "fail", DKIM: "pass", Aligned: true}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Read([]byte(mail(append(c.head, "From: a@bureau.example", "", "x")...)), options())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, l.Auth); diff != "" {
				t.Error(diff)
			}
			if l.Auth.Passed() != c.passed || l.Auth.Failed() != c.failed {
				t.Errorf("passed %t, failed %t", l.Auth.Passed(), l.Auth.Failed())
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int) string {
		s := mail("From: a@b.example")
		for i := range n {
			s += mail(fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d", i), "", fmt.Sprintf("--b%d", i))
		}
		return s + mail("", "x")
	}
	many := mail("From: a@b.example", "Content-Type: multipart/mixed; boundary=x", "") + strings.Repeat(mail("--x", "", "y"), 300)
	files := mail("From: a@b.example", "Content-Type: multipart/mixed; boundary=x", "") + strings.Repeat(mail("--x", "Content-Type: application/pdf", "", "%PDF"), 30)
	zipped := func(data []byte) string {
		return mail("From: a@b.example", "Content-Type: application/zip", "Content-Transfer-Encoding: base64", "", b64(data))
	}
	bomb := pack(t, map[string]string{"a": strings.Repeat("0", 70<<20)})
	nest := pack(t, map[string]string{"a.xlsx": string(book(t))})
	for range 10 {
		nest = pack(t, map[string]string{"a.zip": string(nest)})
	}
	for _, c := range []struct {
		name, raw string
		want      Fault
	}{
		{"parts in parts", deep(9), FaultParts},
		{"many parts", many, FaultParts},
		{"many files", files, FaultFiles},
		{"a bomb", zipped(bomb), FaultBomb},
		{"archives in archives", zipped(nest), FaultParts},
		{"a header without end", "From: a@b.example\r\n" + strings.Repeat("X-A: "+strings.Repeat("b", 900)+"\r\n", 400), FaultHeader},
		{"no header", "\r\nhello", FaultHeader},
		{"nothing", "", FaultHeader},
		{"too long", mail("From: a@b.example", "") + strings.Repeat("x", 60<<20), FaultLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Read([]byte(c.raw), options())
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if len(l.Files) > 0 {
				t.Error("files of a refused mail")
			}
		})
	}
	if l, err := Read([]byte(deep(7)), options()); err != nil || l.Text != "x" {
		t.Errorf("seven deep: %q, %v", l.Text, err)
	}
}

func TestArchives(t *testing.T) {
	locked := pack(t, map[string]string{"a.xlsx": "x"})
	locked = bytes.Replace(locked, []byte("PK\x03\x04\x14\x00\x08\x00"), []byte("PK\x03\x04\x14\x00\x09\x00"), 1)
	locked = bytes.Replace(locked, []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00"), []byte("PK\x01\x02\x14\x00\x14\x00\x09\x00"), 1)
	word := pack(t, map[string]string{"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"})
	for name, c := range map[string]struct {
		data []byte
		want Kind
	}{
		"locked":  {locked, Locked},
		"damaged": {[]byte("PK\x03\x04 and no more"), Damaged},
		"empty":   {pack(t, nil), Empty},
		"a text":  {word, Other},
		"nothing": {nil, Empty},
	} {
		raw := mail("From: a@b.example", "Content-Type: application/octet-stream; name=f.zip", "Content-Transfer-Encoding: base64", "", b64(c.data))
		l, err := Read([]byte(raw), options())
		if err != nil || len(l.Files) != 1 || l.Files[0].Kind != c.want {
			t.Errorf("%s: %+v, %v; want %s", name, l.Files, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mail("From: a@b.example", "Subject: =?gbk?B?xOO6ww==?=", "Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: application/zip; name*0*=GBK''%D7; name*1=y", "Content-Transfer-Encoding: base64", "", b64(pack(f, map[string]string{"a.csv": "x"})), "--x--")))
	f.Add([]byte(mail("From: \"a\" <a@b.example>", "Content-Type: message/rfc822", "", "From: c@d", "", "=E5", "--")))
	f.Add([]byte(mail("From: a@b.example", "Authentication-Results: mx.czt.example; dkim=pass header.i=@b.example", "", "x")))
	o := options()
	o.Limits = Limits{Bytes: 1 << 20, Header: 64 << 10, Depth: 5, Parts: 50, Files: 10, File: 1 << 20, Inflated: 4 << 20, Text: 4 << 10}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := Read(raw, o)
		if l == nil {
			t.Fatal("nothing")
		}
		sum := 0
		for _, x := range l.Files {
			if sum += len(x.Data); len(x.Data) > o.Limits.File || len(x.Name) > 4*maxName || strings.ContainsAny(x.Name, "\r\n\x00/\\") {
				t.Errorf("file %q of %d bytes", x.Name, len(x.Data))
			}
		}
		if sum > len(raw)+o.Limits.Inflated || len(l.Files) > o.Limits.Files || len(l.Text) > 3*o.Limits.Text || strings.ContainsAny(l.Subject+l.From, "\r\n\x00") {
			t.Errorf("beyond the limits: %d bytes, %d files, text %d", sum, len(l.Files), len(l.Text))
		}
		if err == nil && l.From == "" {
			t.Error("no sender and no fault")
		}
	})
}
