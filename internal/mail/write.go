package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"
)

// write makes the mail of a message. That a machine wrote it is said in the ways in which
// other machines look for it (RFC 3834 §5), and our own come back is known by X-Loop.
func (c *Client) write(m *Message, to *netmail.Address) []byte {
	_, domain, _ := strings.Cut(c.from.Address, "@")
	var b bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", c.from.String())
	head("To", to.String())
	head("Subject", mime.BEncoding.Encode("utf-8", strings.Join(strings.Fields(m.Subject), " ")))
	head("Date", m.At.Format(time.RFC1123Z))
	id := strings.Map(wordOnly, m.ID) + "@" + domain
	head("Message-ID", "<"+id+">")
	if re := answers(m.Re); re != "" {
		head("In-Reply-To", "<"+re+">")
		head("References", "<"+re+">")
		head("Auto-Submitted", "auto-replied")
	} else {
		head("Auto-Submitted", "auto-generated")
	}
	head("X-Loop", c.from.Address)
	head("X-Auto-Response-Suppress", "All")
	head("MIME-Version", "1.0")
	if m.File == nil {
		text(&b, m.Text)
		return b.Bytes()
	}
	boundary := "=_" + strings.Map(wordOnly, m.ID) // no line of base64 holds it
	head("Content-Type", `multipart/mixed; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\n")
	text(&b, m.Text)
	b.WriteString("--" + boundary + "\r\n")
	// Clients that know one way of writing a name do not know the other.
	name := strings.Join(strings.Fields(m.Name), " ")
	old := mime.BEncoding.Encode("utf-8", strings.NewReplacer(`"`, "_", `\`, "_").Replace(name))
	head("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;\r\n name=\""+old+`"`)
	head("Content-Disposition", "attachment;\r\n filename*=utf-8''"+strings.ReplaceAll(url.QueryEscape(name), "+", "%20"))
	head("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	wrapped(&b, m.File)
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes()
}

// text writes the head and body of a plain text.
func text(b *bytes.Buffer, s string) {
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	wrapped(b, []byte(s))
}

// wrapped writes base64 in lines.
func wrapped(b *bytes.Buffer, data []byte) {
	const line = 57 // bytes, which are 76 characters
	buf := make([]byte, base64.StdEncoding.EncodedLen(line))
	for len(data) > 0 {
		n := min(line, len(data))
		base64.StdEncoding.Encode(buf, data[:n])
		b.Write(buf[:base64.StdEncoding.EncodedLen(n)])
		b.WriteString("\r\n")
		data = data[n:]
	}
}

// answers leaves a Message-ID that may be named again, "" for one that may not: it is a
// stranger's, and is written into a header.
func answers(id string) string {
	const longest = 250
	if len(id) > longest {
		return ""
	}
	for _, r := range id {
		if r <= ' ' || r >= 0x7f || r == '<' || r == '>' {
			return ""
		}
	}
	return id
}
