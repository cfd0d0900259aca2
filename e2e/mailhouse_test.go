package e2e

import (
	"archive/zip"
	"bytes"
	"iter"
	"slices"
	"testing"
)

func chunks(list []letter, n int) iter.Seq[[]letter] { return slices.Chunk(list, n) }

// packed is a zip archive with one file.
func packed(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The settings of the mail servers; words in capitals are filled in.
const (
	postfixMain = `compatibility_level = 3.6
queue_directory = DIR/pf/spool
data_directory = DIR/pf/lib
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.czt.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = static:all
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = regexp:DIR/pf/etc/boxes
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = 104857600
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
maillog_file = DIR/pf/log
maillog_file_prefixes = /
alias_maps =
alias_database =
`
	postfixMaster = `SMTP inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
`
	dovecotConf = `base_dir = DIR/dc/run
state_dir = DIR/dc/run
log_path = DIR/dc/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
first_valid_uid = 1
mail_location = maildir:DIR/mail/in
disable_plaintext_auth = yes
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = IMAP
    ssl = yes
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/dc/home
}
namespace inbox {
  inbox = yes
}
`
)
