package intake

import (
	"context"
	"errors"
	"slices"

	"tianbao"
)

// readBook reads a file with the form of the newest collection that is open; one that
// lacks that form's columns may belong to another that runs beside it.
func readBook(ctx context.Context, catalog Catalog, books Workbooks, data []byte, name string) (tianbao.Campaign, *tianbao.Import, error) {
	cs, err := catalog.Campaigns(ctx)
	if err != nil {
		return tianbao.Campaign{}, nil, err
	}
	cs = slices.DeleteFunc(cs, func(c tianbao.Campaign) bool { return c.Phase() != tianbao.PhaseOpen })
	if len(cs) == 0 {
		return tianbao.Campaign{}, nil, tianbao.Invalid("no_campaign", "现在没有正在进行的采集，文件没有导入；采集开始后请重新报送。")
	}
	var first error
	for _, c := range cs {
		imp, err := books.Read(ctx, data, name, c.Form, c.FormV)
		if err == nil {
			return c, imp, nil
		}
		if first == nil {
			first = err
		}
		var te *tianbao.Error
		if !errors.As(err, &te) || te.Code != "no_header" {
			break
		}
	}
	return tianbao.Campaign{}, nil, first
}
