package campaign

import "tianbao"

// Count counts one unit in, for tests of what is made of figures.
func (f *Figures) Count(s tianbao.Standing) { f.count(s, Door{Why: WhyOpen}, 1) }
