package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// An officer opens the mail of a stranger, sees what it holds with numbers masked, says
// whose it is, and its rows are saved; the answer waits for a mail server that is away.
func TestMailPages(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	seed(t, data, "")
	l := compose("first", "clerk@school.example", "第一小学填报表", map[string][]byte{"采集表.xlsx": bookOf(t, 0, 3)})
	if err := os.WriteFile(filepath.Join(dir, "1.eml"), []byte(l.raw), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startIn(t, data, "", "--demo", "--mail-server", "localhost:1", "--mail-security", "plain", "--mail-from", mailbox, "--inbox-dir", dir)
	c := s.clerk(t, browser.Start(t))
	c.enter("province")
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(100 * time.Millisecond) {
		c.Go(s.url + "/mail?state=waiting")
		if strings.Contains(c.text("main"), "第一小学填报表") {
			break
		}
	}
	c.accessible("the mails")
	c.bureauPicture("mails")
	if got := c.text("main"); strings.Contains(got, "clerk@") || !strings.Contains(got, "发件人未绑定单位") {
		t.Errorf("the list: %s", got)
	}
	c.Go(s.url + browser.Eval[string](c.Page, `document.querySelector("tbody a").getAttribute("href")`))
	c.accessible("a mail")
	c.bureauPicture("mail")
	if got := c.text("main"); !strings.Contains(got, "clerk@school.example") || !strings.Contains(got, unitName) || strings.Contains(got, residentID(1)) {
		t.Errorf("the mail: %s", got)
	}
	opened := browser.Eval[string](c.Page, `location.href`)
	// Who is to be erased is named in it: the officer is told of the mail.
	c.Go(s.url + "/erasure")
	c.set(map[string]string{"person": residentID(1), "reason": "本人书面申请，编号 12"})
	c.submitForm(`form[action="/erasure/person"] .button-primary`)
	if got := c.text("main"); !strings.Contains(got, "写到这个人") {
		t.Errorf("a mail that names who is to be erased: %s", got)
	}
	c.accessible("mails that name a person")
	c.bureauPicture("erasure-mails")
	c.Go(opened)
	c.Click("#unit")
	c.Type("没有这个单位")
	c.submitForm(".form .button-primary")
	if got := c.text(".callout-error"); !strings.Contains(got, "没有找到这个单位") {
		t.Errorf("a unit that there is not: %s", got)
	}
	c.Do(`document.querySelector("#unit").value = ""`)
	c.Click("#unit")
	c.Type(unitName)
	c.submitForm(".form .button-primary")
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(100 * time.Millisecond) {
		c.Go(s.url + "/mail?state=judged")
		if strings.Contains(c.text("main"), "已保存") {
			break
		}
	}
	c.Go(s.url + "/mail/senders")
	c.accessible("bound senders")
	c.Screenshot("mailsenders")
	if got := c.text("tbody"); !strings.Contains(got, unitName) {
		t.Errorf("bound: %s", got)
	}
	unit := s.client(t, "unit")
	if got := len(unit.sheet(unit.ownReport().ID).Rows); got != 3 {
		t.Errorf("%d rows, not 3", got)
	}
}
