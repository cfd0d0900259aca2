package scim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strconv"
)

// Bulk requests (RFC 7644 §3.7): many users made by one, where the service offers it.

const (
	bulkRequest  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	mostBulk     = 100     // users a request, whatever the service takes
	leastBulk    = 2       // fewer are not worth asking for
	maxBulkBytes = 1 << 20 // a request, whatever the service takes
)

// Limits are what a service takes in one request; Operations 0: it has no Bulk.
type Limits struct {
	Operations int
	Bytes      int
}

type wireConfig struct {
	Bulk struct {
		Supported      bool `json:"supported"`
		MaxOperations  int  `json:"maxOperations"`
		MaxPayloadSize int  `json:"maxPayloadSize"`
	} `json:"bulk"`
}

type wireBulk struct {
	Schemas    []string     `json:"schemas"`
	Operations []wireBulkOp `json:"Operations"`
}

type wireBulkOp struct {
	Method string    `json:"method"`
	Path   string    `json:"path"`
	BulkID string    `json:"bulkId"`
	Data   *wireUser `json:"data"`
}

type wireBulkAnswer struct {
	Operations []struct {
		BulkID   string     `json:"bulkId"`
		Location string     `json:"location"`
		Status   bulkStatus `json:"status"`
		Response *struct {
			ID string `json:"id"`
		} `json:"response"`
	} `json:"Operations"`
}

// bulkStatus is a status as text (RFC 7644) or, as some services have it, a number, or in an
// object with a code (RFC drafts).
type bulkStatus int

// UnmarshalJSON reads any of these; what is none of them is 0.
func (s *bulkStatus) UnmarshalJSON(b []byte) error {
	var text string
	var object struct {
		Code json.RawMessage `json:"code"`
	}
	switch {
	case json.Unmarshal(b, &text) == nil:
	case json.Unmarshal(b, &object) == nil && object.Code != nil:
		return s.UnmarshalJSON(object.Code)
	default:
		text = string(b)
	}
	n, _ := strconv.Atoi(text) // 0: not known
	*s = bulkStatus(n)
	return nil
}

// Limits asks what the service takes in one request, once it has said so.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limits != nil {
		return *c.limits, nil
	}
	var w wireConfig
	err := c.ask(ctx, http.MethodGet, "/ServiceProviderConfig", nil, &w)
	var e *Error
	if errors.As(err, &e) && e.Permanent() { // it does not say
		err, w = nil, wireConfig{}
	}
	if err != nil {
		return Limits{}, err
	}
	l := Limits{}
	if b := w.Bulk; b.Supported && b.MaxOperations >= leastBulk && b.MaxPayloadSize > 0 {
		l = Limits{min(b.MaxOperations, mostBulk), min(b.MaxPayloadSize, maxBulkBytes)}
	}
	c.limits = &l
	return l, nil
}

// Made is what became of a user in a Bulk request: the service's id, or a refusal; neither:
// it is not known, and [Client.Put] finds out.
type Made struct {
	ID      string
	Refused bool
}

// Create makes users that the service was never asked for before, by as few requests as it
// takes. Where it stops with an error, what it says of the rest is that nothing is known.
func (c *Client) Create(ctx context.Context, users []*User) ([]Made, error) {
	out := make([]Made, len(users))
	l, err := c.Limits(ctx)
	if err != nil || l.Operations == 0 {
		return out, err
	}
	for from := 0; from < len(users); {
		b := wireBulk{Schemas: []string{bulkRequest}}
		size, to := 200, from
		for ; to < len(users) && to-from < l.Operations; to++ {
			op := wireBulkOp{http.MethodPost, "/Users", strconv.Itoa(to), toWire(users[to])}
			j, err := json.Marshal(op)
			if err != nil {
				return out, errors.New("scim: a request cannot be encoded")
			}
			if size += len(j) + 1; size > l.Bytes {
				break
			}
			b.Operations = append(b.Operations, op)
		}
		if to == from { // one alone is too long: it goes by itself
			from++
			continue
		}
		if err := c.bulk(ctx, &b, out); err != nil {
			return out, err
		}
		from = to
	}
	return out, nil
}

// bulk sends one request and writes what became of each user. It is not sent again: a user
// of whom nothing is known is looked for by itself.
func (c *Client) bulk(ctx context.Context, b *wireBulk, out []Made) error {
	var w wireBulkAnswer
	err := c.once(ctx, http.MethodPost, "/Bulk", b, &w)
	var e *Error
	if errors.As(err, &e) && e.Permanent() { // it does not take this after all
		c.mu.Lock()
		c.limits = &Limits{}
		c.mu.Unlock()
		return nil
	}
	if err != nil {
		return err
	}
	for _, op := range w.Operations {
		i, err := strconv.Atoi(op.BulkID)
		if err != nil || i < 0 || i >= len(out) {
			continue
		}
		status := int(op.Status)
		switch {
		case status/100 == 2 && op.Response != nil && op.Response.ID != "":
			out[i] = Made{ID: op.Response.ID}
		case status/100 == 2 && op.Location != "":
			out[i] = Made{ID: path.Base(op.Location)}
		default:
			// A conflict may be one with the user itself: it is looked for.
			out[i] = Made{Refused: status != http.StatusConflict && (&Error{Status: status}).Permanent()}
		}
	}
	return nil
}
