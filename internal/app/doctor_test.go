package app

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// examine runs doctor and returns its lines that are not 好, without those about the
// machine, which are as they are.
func examine(t *testing.T, args ...string) (code int, troubles []string, all string) {
	t.Helper()
	var out bytes.Buffer
	code = Run(t.Context(), append([]string{"doctor"}, args...), func(string) string { return "" }, strings.NewReader(""), &out, &out)
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, well) && !strings.HasPrefix(line, "共") && !regexp.MustCompile("时钟：没有与|时区：|磁盘：").MatchString(line) {
			troubles = append(troubles, line)
		}
	}
	return code, troubles, out.String()
}

// Each kind of damage is found, in a line that says what to do.
func TestDoctor(t *testing.T) {
	data := filled(t)
	path, keys := filepath.Join(data, "db", "tianbao.db"), filepath.Join(data, "keys", "ring.json")
	code, before, all := examine(t, "--data", data)
	if code != 0 || len(before) > 0 || strings.Count(all, "\n") < 10 {
		t.Fatalf("exit %d:\n%s", code, all)
	}
	sql := func(texts ...string) func(t *testing.T) {
		return func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Options{URL: path})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				if err := d.Tx(t.Context(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), text); return err }); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	quick := []string{"--quick"} // where that finds it, for the test's sake
	for name, c := range map[string]struct {
		harm func(t *testing.T)
		args []string
		want string
		code int
	}{
		"a sealed value was changed": {sql(`UPDATE unit_contact SET contact = CAST('nothing that any key of ours has sealed, whatever it is' AS BLOB)`), quick, "坏　　加密的内容：unit_contact.contact", 1},
		"a row moved to another":     {sql(`UPDATE report_row SET row_id = row_id + 1000000 WHERE row_id = (SELECT MIN(row_id) FROM report_row)`), quick, "坏　　加密的内容：report_row.vals", 1},
		"a search key is gone":       {sql(`DELETE FROM row_key_log`), quick, "坏　　检索：", 1},
		"a record was changed":       {sql(`UPDATE trail SET what = 'signin' WHERE id = (SELECT MIN(id) FROM trail)`), nil, "坏　　审计记录：被动过", 1},
		"a figure was changed":       {sql(`UPDATE unit_status SET row_count = row_count + 1`), nil, "坏　　填报情况：采集 100", 1},
		"a newer program was here":   {sql(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)`), quick, "坏　　结构版本：数据库是 9000", 1},
		"pages are torn": {func(t *testing.T) {
			b := bytes.Clone(whole)
			for i := 40 * 4096; i < 60*4096 && i < len(b); i++ {
				b[i] ^= 0x5a
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, quick, "坏　　数据库：", 1},
		"other keys": {func(t *testing.T) {
			if err := os.Remove(keys); err != nil {
				t.Fatal(err)
			}
			if _, err := seal.OpenFile(keys, true, seal.SM4); err != nil {
				t.Fatal(err)
			}
		}, quick, "坏　　密钥：密钥文件与数据库不是一套", 1},
		"no keys": {func(t *testing.T) {
			if err := os.Remove(keys); err != nil {
				t.Fatal(err)
			}
		}, quick, "坏　　密钥文件：没有", 1},
		"others may read": {func(t *testing.T) {
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
		}, quick, "坏　　文件权限：", 1},
		"no backups":     {func(*testing.T) {}, []string{"--quick", "--backup-dir", data}, "坏　　备份：", 1},
		"no mail server": {func(*testing.T) {}, []string{"--quick", "--mail-server", "127.0.0.1:1", "--mail-security", "plain", "--mail-from", "a@example.cn"}, "坏　　发邮件：127.0.0.1:1", 1},
		"no receiver":    {func(*testing.T) {}, []string{"--quick", "--webhook-url", "http://127.0.0.1:1/x?key=geheim", "--webhook-secret-file", keys}, "坏　　接口（webhook）：", 1},
		"no mailbox":     {func(*testing.T) {}, []string{"--quick", "--inbox-server", "127.0.0.1:1", "--inbox-security", "plain", "--inbox-user", "x", "--mail-server", "127.0.0.1:1", "--mail-security", "plain", "--mail-from", "a@example.cn"}, "坏　　收邮件：127.0.0.1:1", 1},
		"quick":          {func(*testing.T) {}, quick, "注意　审计记录、填报情况：带 --quick", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.harm(t)
			code, troubles, all := examine(t, append([]string{"--data", data}, c.args...)...)
			found := false
			for _, line := range troubles {
				found = found || strings.HasPrefix(line, c.want)
			}
			if code != c.code || !found {
				t.Errorf("exit %d, no line %q:\n%s", code, c.want, all)
			}
			if strings.Contains(all, "geheim") {
				t.Error("the key in an address is told")
			}
			for file, b := range map[string][]byte{path: whole, keys: ring} {
				for _, gone := range []string{file, file + "-wal", file + "-shm"} {
					if err := os.Remove(gone); err != nil && !os.IsNotExist(err) {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(filepath.Join(data, "audit")); err != nil {
				t.Fatal(err)
			}
		})
	}
}
