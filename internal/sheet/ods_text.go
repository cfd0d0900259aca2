package sheet

// content reads what a cell contains: its paragraphs, joined by line feeds.
// Annotations, drawings and tables within the cell are not its text.
func (o *odsReader) content() error {
	return o.each(func() (err error) {
		if name := string(o.name); name == "p" || name == "h" {
			if o.paras++; o.paras > 1 {
				o.put('\n')
			}
			err = o.paragraph()
		} else {
			err = o.skip()
		}
		return err
	})
}

func (o *odsReader) put(c byte) {
	if o.room > 0 {
		o.text = append(o.text, c)
		o.room--
	}
}

// paragraph reads a paragraph. White space is written as elements where it counts
// and collapses where it is literal (ODF 1.3 part 3 §6.1.2).
func (o *odsReader) paragraph() error {
	o.blank = true
	if o.closed {
		return nil
	}
	for depth := o.depth(); o.depth() >= depth; {
		tok, err := o.next()
		if err != nil {
			return err
		}
		switch tok {
		case tokText:
			o.literal()
		case tokStart:
			switch string(o.name) {
			case "s":
				n := 1
				if v, ok := o.attr("c"); ok {
					n = repeated([]byte(v), o.kept.limits.CellChars)
				}
				for range n {
					o.put(' ')
				}
				o.blank = false
				err = o.skip()
			case "tab":
				o.put('\t')
				o.blank = false
				err = o.skip()
			case "line-break":
				o.put('\n')
				o.blank = false
				err = o.skip()
			case "note", "annotation", "ruby-text", "frame", "tracked-changes":
				err = o.skip()
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// literal adds text of the part to the paragraph.
func (o *odsReader) literal() {
	raw := o.part.text
	o.tmp = appendText(o.tmp[:0], raw[:min(len(raw), o.room*8)], o.cdata)
	for _, c := range o.tmp {
		if isSpace(c) {
			if !o.blank {
				o.put(' ')
			}
			o.blank = true
			continue
		}
		o.put(c)
		o.blank = false
	}
}
