// Package client reads the feed of a tianbao server and verifies its webhooks. It stands on
// the standard library alone; docs/api.md says what it speaks.
//
// A [Client] asks with a service token (接口令牌), which allows some verbs over one subtree of
// the register. Lists come as iterators that fetch a page when it is needed and end at the
// first error:
//
//	for u, err := range c.Units(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// Rules: the token is sent to the one server only, also where a next page says otherwise.
// Numbers of people are masked but in [Client.ClearRows], whose every page is on the server's
// audit trail.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks one server. Its fields do not change once it is in use; it is safe for
// concurrent use.
type Client struct {
	// URL is the server, as https://tb.example.gov.cn, without a path.
	URL string
	// Token is a service token.
	Token string
	// HTTP does the requests; nil: one that waits a minute and follows no redirect.
	HTTP *http.Client
}

// Error is what a server answered that did not do what it was asked.
type Error struct {
	Status     int
	Code       string // for programs
	Message    string // for people, in Chinese
	Request    string // its number in the server's log
	RetryAfter time.Duration
}

// Error returns the code and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("tianbao: %d %s: %s", e.Status, e.Code, e.Message)
}

// most is how many bytes of an answer are read.
const most = 64 << 20

// get asks for a path of the server and decodes the answer.
func (c *Client) get(ctx context.Context, path string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+path, nil)
	if err != nil {
		return errors.New("tianbao: the address of the server is not one")
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("Accept", "application/json")
	h := c.HTTP
	if h == nil {
		h = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	res, err := h.Do(r)
	if err != nil {
		return fmt.Errorf("tianbao: %w", err)
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, most)
	if res.StatusCode != http.StatusOK {
		e := &Error{Status: res.StatusCode}
		var said struct {
			Error struct{ Code, Message, Request string }
		}
		if json.NewDecoder(body).Decode(&said) == nil {
			e.Code, e.Message, e.Request = said.Error.Code, said.Error.Message, said.Error.Request
		}
		if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
			e.RetryAfter = time.Duration(n) * time.Second
		}
		return e
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return errors.New("tianbao: the answer is not what it should be")
	}
	return nil
}

// page is one answer with things.
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
}

// pages gives the things of a set one by one.
func pages[T any](ctx context.Context, c *Client, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for at := path + encoded(q); at != ""; {
			var p page[T]
			if err := c.get(ctx, at, &p); err != nil {
				yield(none, err)
				return
			}
			for _, v := range p.Value {
				if !yield(v, nil) {
					return
				}
			}
			next, err := url.Parse(p.Next)
			if err != nil || p.Next != "" && next.Path != path {
				yield(none, errors.New("tianbao: the next page is not of this list"))
				return
			}
			if at = ""; p.Next != "" {
				at = next.RequestURI() // of the own server, whatever host it names
			}
		}
	}
}

func encoded(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Service tells what the token may do.
func (c *Client) Service(ctx context.Context) (s Service, err error) {
	err = c.get(ctx, "/service", &s)
	return s, err
}

// Collections gives the collections that are released. Verb: progress.read.
func (c *Client) Collections(ctx context.Context) iter.Seq2[Collection, error] {
	return pages[Collection](ctx, c, "/api/v1/collections", nil)
}

// Units gives the units of the token's subtree. Verb: units.read.
func (c *Client) Units(ctx context.Context) iter.Seq2[Unit, error] {
	return pages[Unit](ctx, c, "/api/v1/units", nil)
}

// Progress tells where each unit stands in a collection. Verb: progress.read.
func (c *Client) Progress(ctx context.Context, collection string) iter.Seq2[Standing, error] {
	return pages[Standing](ctx, c, "/api/v1/progress", url.Values{"collection": {collection}})
}

// Rows gives the rows of a collection, ids and phones masked; with a report only its own.
// A row may come twice where its report is saved meanwhile: the later one counts. Verb:
// rows.read.
func (c *Client) Rows(ctx context.Context, collection, report string) iter.Seq2[Row, error] {
	return c.rows(ctx, "/api/v1/rows", collection, report)
}

// ClearRows is Rows with whole ids and phones. Verb: rows.clear.
func (c *Client) ClearRows(ctx context.Context, collection, report string) iter.Seq2[Row, error] {
	return c.rows(ctx, "/api/v1/clear_rows", collection, report)
}

func (c *Client) rows(ctx context.Context, path, collection, report string) iter.Seq2[Row, error] {
	q := url.Values{"collection": {collection}}
	if report != "" {
		q.Set("report", report)
	}
	return pages[Row](ctx, c, path, q)
}

// Events gives what happened behind the cursor of an event, "": what is kept. It ends with
// what is known now; ask again later from the cursor of the last one. Verb: progress.read.
func (c *Client) Events(ctx context.Context, since string) iter.Seq2[Event, error] {
	q := url.Values{}
	if since != "" {
		q.Set("since", since)
	}
	return pages[Event](ctx, c, "/api/v1/events", q)
}
