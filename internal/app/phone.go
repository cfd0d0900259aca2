package app

import (
	"context"
	"log/slog"
	"time"

	"tianbao/internal/provision"
	"tianbao/internal/remind"
)

// codes makes the service that shows whose phones are. Codes go out by the webhook of
// reminders; without one nothing asks for them.
func (in *installation) codes(p *provision.Service, way remind.Sender, log *slog.Logger) *provision.Codes {
	c := &provision.Codes{Store: in.store, Plans: in.store, IDs: p.IDs, Now: p.Now, Node: p.Node, Log: log}
	if hook, ok := way.(hookSender); ok {
		c.Sender = hook
		p.Proofs, p.Proven = true, in.store.ProvenPhones
	}
	return c
}

// codeBody is what the webhook gets of a code: the text for a gateway that takes texts,
// the code alone for one that has the text as a template of its own.
type codeBody struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // phone_code
	UnitCode string `json:"unit_code"`
	Unit     string `json:"unit"`
	Phone    string `json:"phone"`
	Text     string `json:"text"`
	Code     string `json:"code"`
	Minutes  int    `json:"minutes"` // how long it counts
}

// SendCode implements provision.CodeSender.
func (s hookSender) SendCode(ctx context.Context, m *provision.CodeMessage) error {
	id := m.ID.String()
	return s.Client.Send(ctx, id, codeBody{
		ID: id, Kind: "phone_code", UnitCode: m.Unit.BudgetCode, Unit: m.Unit.Name, Phone: m.Phone,
		Text: m.Text(), Code: m.Code, Minutes: int(provision.CodeLife / time.Minute),
	})
}

// codesEvery is how often the server looks for codes to send: somebody waits for each.
const codesEvery = time.Second

// keepSendingCodes sends codes while the server runs. The function it returns waits for
// those in hand.
func keepSendingCodes(ctx context.Context, c *provision.Codes, alone bool, log *slog.Logger) func() {
	if c.Sender == nil {
		return func() {}
	}
	if alone {
		if err := c.Resume(ctx); err != nil {
			log.Error("codes wait for their leases", "err", err)
		}
	}
	return every(ctx, codesEvery, func() {
		if _, err := c.Deliver(ctx); err != nil && ctx.Err() == nil {
			log.Error("codes do not go out", "err", err)
		}
	})
}
