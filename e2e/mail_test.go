package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	netmail "net/mail"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// mailHouse is a postfix that takes all mail, and a dovecot that serves the mailbox of the
// product by IMAP over TLS; what goes to anybody else lies in one maildir.
type mailHouse struct {
	dir        string
	smtp, imap string
}

const mailbox = "tianbao@czt.example"

// newMailHouse starts both, of Debian's packages. postfix runs as root only.
func newMailHouse(t *testing.T) *mailHouse {
	t.Helper()
	for _, program := range []string{"postfix", "dovecot", "soffice"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("TIANBAO_TEST_ALL") == "1" {
			t.Fatalf("%s is not installed; run scripts/setup.sh", program)
		}
		t.Skipf("%s is not installed; set TIANBAO_TEST_ALL=1 where it must be", program)
	}
	if os.Getuid() != 0 {
		t.Skip("postfix runs as root only")
	}
	dir, err := os.MkdirTemp("", "tianbao-mail-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m := &mailHouse{dir: dir, smtp: freeAddr(t), imap: freeAddr(t)}
	for _, sub := range []string{"pf/etc", "pf/spool", "pf/lib", "mail", "dc/run", "dc/home"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.run(t, "chmod", "755", dir)
	m.run(t, "chown", "mail:mail", dir+"/mail", dir+"/dc/home")
	m.run(t, "chown", "postfix", dir+"/pf/lib")
	m.run(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", dir+"/key.pem", "-out", dir+"/cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
	uid, gid := m.output(t, "id", "-u", "mail"), m.output(t, "id", "-g", "mail")
	_, imapPort, _ := net.SplitHostPort(m.imap)
	fill := strings.NewReplacer("DIR", dir, "SMTP", m.smtp, "UID", uid, "GID", gid, "IMAP", imapPort)
	for name, text := range map[string]string{"pf/etc/main.cf": postfixMain, "pf/etc/master.cf": postfixMaster, "pf/etc/boxes": "/^tianbao@czt\\.example$/ in/\n/./ out/\n", "dc/dovecot.conf": dovecotConf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fill.Replace(text)), 0o644); err != nil { //nolint:gosec // postfix reads it as another user
			t.Fatal(err)
		}
	}
	m.daemon(t, "postfix", "-c", dir+"/pf/etc", "start")
	t.Cleanup(func() { _ = exec.Command("postfix", "-c", dir+"/pf/etc", "stop").Run() })
	m.daemon(t, "dovecot", "-c", dir+"/dc/dovecot.conf")
	t.Cleanup(func() { _ = exec.Command("doveadm", "-c", dir+"/dc/dovecot.conf", "stop").Run() })
	return m
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (m *mailHouse) run(t *testing.T, name string, args ...string) {
	t.Helper()
	m.output(t, name, args...)
}

// daemon starts what stays behind, which would keep a pipe open.
func (m *mailHouse) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	if err := exec.Command(name, args...).Run(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func (m *mailHouse) output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// letter is a mail to be sent.
type letter struct {
	id, from string
	raw      string
}

// compose writes a mail with files.
func compose(id, from, subject string, files map[string][]byte) letter {
	var b strings.Builder
	fmt.Fprintf(&b, "From: <%s>\r\nTo: %s\r\nMessage-ID: <%s@client.example>\r\nSubject: =?utf-8?B?%s?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n",
		from, mailbox, id, base64.StdEncoding.EncodeToString([]byte(subject)), id)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n请查收。\r\n", id)
	for name, data := range files {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream;\r\n name=\"=?utf-8?B?%s?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", id, base64.StdEncoding.EncodeToString([]byte(name)))
		for text := base64.StdEncoding.EncodeToString(data); text != ""; {
			n := min(76, len(text))
			b.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
	}
	fmt.Fprintf(&b, "--%s--\r\n", id)
	return letter{id + "@client.example", from, b.String()}
}

// send hands mails to postfix over one connection.
func (m *mailHouse) send(t *testing.T, letters ...letter) {
	t.Helper()
	c, err := smtp.Dial(m.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, l := range letters {
		err := c.Mail(l.from)
		if err == nil {
			err = c.Rcpt(mailbox)
		}
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(l.raw)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// answers are the Message-IDs of answers by the Message-ID that each answers, with how
// often each came, and its subject.
func (m *mailHouse) answers(t *testing.T) (ids map[string]map[string]int, subjects map[string][]string) {
	t.Helper()
	ids, subjects = map[string]map[string]int{}, map[string][]string{}
	files, err := filepath.Glob(m.dir + "/mail/out/new/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		re, id := strings.Trim(msg.Header.Get("In-Reply-To"), "<>"), msg.Header.Get("Message-ID")
		if ids[re] == nil {
			ids[re] = map[string]int{}
		}
		if ids[re][id]++; ids[re][id] == 1 {
			subjects[re] = append(subjects[re], msg.Header.Get("Subject"))
		}
	}
	return ids, subjects
}

// hostile are mails that are made to break who reads them; each is answered.
func hostile(t *testing.T, n int, from string) letter {
	t.Helper()
	id := fmt.Sprintf("hostile%d", n)
	head := fmt.Sprintf("From: <%s>\r\nMessage-ID: <%s@client.example>\r\nMIME-Version: 1.0\r\n", from, id)
	body := ""
	switch n % 6 {
	case 0:
		for i := range 50 {
			body += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
	case 1:
		body = "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\ny\r\n", 1000)
	case 2:
		l := compose(id, from, "弹", map[string][]byte{"a.zip": packed(t, "a.xlsx", strings.Repeat("0", 70<<20))})
		return l
	case 3:
		body = "Content-Type: application/zip; name=\"../../etc/passwd\"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBAoA\r\n"
	case 4:
		body = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("////", 1000) + "\r\n"
	case 5:
		body = "Content-Type: application/vnd.ms-excel; name*0*=x''%ff%fe; name*99999999999*=y\r\nSubject: =?x?B?\xff\xfe?= =?utf-8?Q?=?=\r\n\r\n\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00\r\n"
	}
	return letter{id + "@client.example", from, head + body}
}

// The acceptance of mail: a thousand mails through real servers, copies, strangers, old
// formats, passwords, hostile ones and loops among them, while the server is killed: every
// mail is answered once, and every row is there once. With TIANBAO_TEST_FULL=1 all thousand
// and ten kills, else a tenth and three.
func TestMailAcceptance(t *testing.T) {
	tenth, kills := 1, 3
	if os.Getenv("TIANBAO_TEST_FULL") == "1" {
		tenth, kills = 10, 10
	}
	m := newMailHouse(t)
	_, smtpPort, _ := net.SplitHostPort(m.smtp)
	data := t.TempDir()
	seed(t, data, "")
	if err := os.WriteFile(data+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startIn(
		t, data, "", "--demo", "--mail-server", "localhost:"+smtpPort, "--mail-security", "plain", "--mail-from", "填报 <"+mailbox+">",
		"--inbox-server", m.imap, "--inbox-user", mailbox, "--inbox-password-file", data+"/secret", "--inbox-ca", m.dir+"/cert.pem",
	)
	type listed struct {
		Counts []struct {
			State string
			Count int
		}
		Mails []struct {
			ID     string
			Copies int
		}
		Next string
	}
	province := s.client(t, "province")
	counts := func() map[string]int {
		var out listed
		province.base = s.url // another one after each kill
		province.must("GET", "/mail", nil, &out)
		n := map[string]int{}
		for _, c := range out.Counts {
			n[c.State] = c.Count
		}
		return n
	}
	await := func(what string, ok func(map[string]int) bool) {
		t.Helper()
		var got map[string]int
		for begun := time.Now(); time.Since(begun) < 10*time.Minute; time.Sleep(200 * time.Millisecond) {
			if got = counts(); ok(got) {
				return
			}
		}
		t.Fatalf("%s: %v\n%s", what, got, s.log)
	}

	// Senders write for the first time, and an officer binds them.
	senders := make([]string, 4*tenth)
	for i := range senders {
		senders[i] = fmt.Sprintf("clerk%d@school.example", i)
		m.send(t, compose(fmt.Sprintf("hello%d", i), senders[i], "你好", nil))
	}
	await("strangers wait", func(n map[string]int) bool { return n["waiting"] == len(senders) })
	var waiting listed
	province.must("GET", "/mail?state=waiting", nil, &waiting)
	for _, w := range waiting.Mails {
		province.must("POST", "/mail/"+w.ID+"/bind", map[string]string{"unit": unitBudget}, nil)
	}
	await("bound senders are answered", func(n map[string]int) bool { return n["answered"] == len(senders) })

	// What comes: in any order, each sender some of each.
	var letters []letter
	next, rows := 0, 0
	sender := func() string { return senders[len(letters)%len(senders)] }
	book := func() []byte { next++; return bookOf(t, next, next+1) }
	silent, strangers, copies := map[string]bool{}, 0, 10*tenth
	for i := range 5 * tenth {
		letters = append(letters, compose(fmt.Sprintf("two%d", i), sender(), "填报表", map[string][]byte{"甲.xlsx": book(), "乙.xlsx": book()}))
		rows += 2
		strangers++
		letters = append(letters, compose(fmt.Sprintf("stranger%d", i), fmt.Sprintf("new%d@nowhere.example", i), "填报表", map[string][]byte{"表.xlsx": book()}))
	}
	for name, old := range m.oldBooks(t, 5*tenth, book) {
		letters = append(letters, compose("xls"+strings.TrimSuffix(name, ".xls"), sender(), "填报表", map[string][]byte{name: old}))
		rows++
	}
	for i := range 2 * tenth {
		locked, err := excelize.Encrypt(book(), &excelize.Options{Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		letters = append(letters, compose(fmt.Sprintf("locked%d", i), sender(), "填报表", map[string][]byte{"密.xlsx": locked}), hostile(t, i, sender()))
	}
	for i := range tenth {
		l := compose(fmt.Sprintf("loop%d", i), sender(), "回执", nil)
		l.raw = "X-Loop: " + mailbox + "\r\n" + l.raw
		silent[l.id] = true
		letters = append(letters, l)
	}
	for len(letters) < 90*tenth {
		letters = append(letters, compose(fmt.Sprintf("good%d", len(letters)), sender(), "填报表", map[string][]byte{"表.xlsx": book()}))
		rows++
	}
	for i := range copies {
		letters = append(letters, letters[len(letters)-1-2*i])
	}
	rand.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for chunk := range chunks(letters, 10) {
			m.send(t, chunk...)
		}
	}()
	for range kills {
		time.Sleep(time.Duration(300+rand.IntN(1500*tenth)) * time.Millisecond) // so that kills fall at random
		s.kill()
		s.start(t)
	}
	<-done
	total := len(senders) + len(letters) - copies
	await("all are answered", func(n map[string]int) bool {
		return n["waiting"] == strangers && n["answered"] == total-strangers-len(silent) && n["ignored"] == len(silent) && n["received"]+n["judged"] == 0
	})

	// Copies are counted and rows are there once.
	came := 0
	for before := ""; ; {
		var page listed
		province.must("GET", "/mail?before="+before, nil, &page)
		for _, x := range page.Mails {
			came += x.Copies
		}
		if before = page.Next; before == "" {
			break
		}
	}
	if came != copies {
		t.Errorf("%d copies are counted, not %d", came, copies)
	}
	unit := s.client(t, "unit")
	if got := len(unit.sheet(unit.ownReport().ID).Rows); got != rows {
		t.Errorf("%d rows, want %d", got, rows)
	}
	// Answers: those of postfix are all there when its queue is empty.
	for begun := time.Now(); time.Since(begun) < time.Minute && m.output(t, "postqueue", "-c", m.dir+"/pf/etc", "-p") != "Mail queue is empty"; {
		time.Sleep(100 * time.Millisecond)
	}
	ids, subjects := m.answers(t)
	again := 0
	for _, l := range letters {
		want := 1
		if silent[l.id] {
			want = 0
		}
		if len(ids[l.id]) != want {
			t.Errorf("%s has %d answers, not %d: %v", l.id, len(ids[l.id]), want, subjects[l.id])
		}
		for _, n := range ids[l.id] {
			again += n - 1
		}
	}
	if again > kills {
		t.Errorf("%d answers went out again after %d kills", again, kills)
	}
	t.Logf("%d mails, %d rows, %d kills, %d answers sent once more under their Message-ID", total+copies, rows, kills, again)
	if res, body := unit.do("GET", "/mail", "", nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("a unit sees the mails: %d %s", res.StatusCode, body)
	}
	s.stop()
	for _, word := range []string{"clerk1@school", residentID(1)} {
		if bytes.Contains(s.log.Bytes(), []byte(word)) {
			t.Errorf("the log holds %s", word)
		}
	}
}

// oldBooks are workbooks in the format before 2007, by LibreOffice.
func (m *mailHouse) oldBooks(t *testing.T, n int, book func() []byte) map[string][]byte {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	args := []string{"-env:UserInstallation=file://" + t.TempDir(), "--headless", "--convert-to", "xls", "--outdir", out}
	for i := range n {
		path := filepath.Join(in, fmt.Sprintf("%d.xlsx", i))
		if err := os.WriteFile(path, book(), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	m.run(t, "soffice", args...)
	books := map[string][]byte{}
	for i := range n {
		b, err := os.ReadFile(filepath.Join(out, fmt.Sprintf("%d.xls", i)))
		if err != nil {
			t.Fatal(err)
		}
		books[fmt.Sprintf("%d.xls", i)] = b
	}
	return books
}
