package demo

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/org"
)

// secondUnit is the unit with a contact, an earlier name and a request.
const secondUnit = "锦州市第二示范小学"

// register gives the city's bureau a contact, whom units are told to ask, and one unit of
// the register a contact and an earlier name, and lets it ask for a correction.
func (w World) register(ctx context.Context, us []tianbao.Unit) error {
	for _, u := range us {
		if u.Name == cityBureau {
			a := org.Actor{Scope: tianbao.Scope{Paths: []string{u.Path}}}
			if _, err := w.Org.Change(ctx, a, u.ID, org.Act{Act: tianbao.UnitEdit, Day: w.Org.Today(), Values: map[string]string{
				"contact_name": "林示例", "contact_phone": "16000041900",
			}}); err != nil {
				return fmt.Errorf("demo: name whom to ask: %w", err)
			}
			continue
		}
		if u.Name != secondUnit {
			continue
		}
		a := org.Actor{Scope: tianbao.Scope{Paths: []string{u.Path}}}
		_, err := w.Org.Change(ctx, a, u.ID, org.Act{Act: tianbao.UnitEdit, Day: w.Org.Today(), Values: map[string]string{
			"contact_name": "吴示例", "contact_phone": "16000041990", "aliases": "锦州市示范路小学",
		}})
		if err == nil {
			_, err = w.Org.Ask(ctx, a, u.ID, "contact_phone", "16000041991", "联系人换了手机号码")
		}
		if err != nil {
			return fmt.Errorf("demo: fill in the register: %w", err)
		}
	}
	return nil
}
