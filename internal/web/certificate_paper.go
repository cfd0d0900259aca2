package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/pdf"
)

// Measures of the paper in points.
const (
	paperLeft   = 56.0
	paperRight  = pdf.Width - 56
	paperTop    = 64.0
	paperBottom = pdf.Height - 64
	paperLine   = 17.0
	paperSize   = 10.0
)

// paper sets a certificate line by line.
type paper struct {
	*pdf.Doc
	y    float64
	head func() // of the table, on each page that it goes on
}

// down goes to the next line, on a new page where there is no more room.
func (p *paper) down(by float64) {
	if p.y += by; p.y > paperBottom {
		p.Page()
		p.y = paperTop
		if p.head != nil {
			p.head()
		}
	}
}

// write sets a text over as many lines as it takes.
func (p *paper) write(size float64, text string) {
	var line strings.Builder
	for _, r := range text {
		if pdf.TextWidth(line.String()+string(r), size) > paperRight-paperLeft {
			p.Text(paperLeft, p.y, size, line.String())
			p.down(size * 1.6)
			line.Reset()
		}
		line.WriteRune(r)
	}
	p.Text(paperLeft, p.y, size, line.String())
	p.down(size * 1.6)
}

// certificatePaper sets a certificate on A4. All of it comes from the certificate, so the
// same one gives the same bytes.
func certificatePaper(c *campaign.Certificate) ([]byte, error) {
	p := &paper{Doc: pdf.New(c.UnitName+c.Kind()+" "+c.Number, c.At), y: paperTop + 24}
	p.Page()
	p.Center(p.y, 22, c.Kind())
	p.down(40)
	p.write(11, "采集："+c.Title)
	p.write(11, "单位："+c.UnitName+"　"+c.UnitCode)
	p.write(11, "编号："+c.Number)
	p.write(11, "时间："+c.At.Format("2006年1月2日 15:04:05")+"（北京时间）")
	p.down(8)
	p.write(12, c.Says())
	p.down(4)
	var counts []string
	for _, n := range c.Counts() {
		counts = append(counts, fmt.Sprintf("%s %d 个", n.State.Title(), n.Units))
	}
	p.write(11, "其中："+strings.Join(counts, "，")+fmt.Sprintf("。登记册中另有不参加的单位 %d 个。", c.Outside))
	p.write(9, "名单摘要（SM3）："+c.Digest)
	p.down(36)
	p.Text(paperLeft, p.y, 11, "经办人：")
	p.Text(paperLeft+170, p.y, 11, "负责人：")
	p.Text(paperLeft+340, p.y, 11, "单位（盖章）：")
	p.down(28)
	p.Right(paperRight, p.y, 11, "年　　月　　日")
	p.down(30)
	columns := [...]float64{paperLeft, paperLeft + 36, paperLeft + 136, paperLeft + 136 + 168, paperRight - 48}
	row := func(cells ...string) {
		for i, text := range cells {
			end := paperRight
			if i+1 < len(columns) {
				end = columns[i+1]
			}
			p.Text(columns[i], p.y, paperSize, pdf.Fit(text, paperSize, end-columns[i]-4))
		}
		p.Line(paperLeft, p.y+5, paperRight, p.y+5)
	}
	p.head = func() {
		row("序号", "单位预算编码", "单位名称", "统一社会信用代码", "状态")
		p.y += paperLine
	}
	if p.y > paperBottom-3*paperLine {
		p.y = paperBottom + 1
		p.down(0)
	} else {
		p.head()
	}
	for i := range c.List {
		u := &c.List[i]
		row(fmt.Sprint(i+1), u.Code, u.Name, u.Org, u.State.Title())
		if i+1 < len(c.List) {
			p.down(paperLine)
		}
	}
	pages := p.Pages()
	for n := 1; n <= pages; n++ {
		p.On(n, func() {
			p.Text(paperLeft, pdf.Height-36, 8, c.Kind()+" "+c.Number)
			p.Right(paperRight, pdf.Height-36, 8, fmt.Sprintf("第 %d 页，共 %d 页", n, pages))
		})
	}
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// certificateBook sends the list as a workbook, whose only time is the certificate's.
func (s *Server) certificateBook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, err := s.certificateOf(r, v)
	if err != nil {
		return err
	}
	form := listForm("certificate", c.UnitName+c.Title+c.Kind(), "单位预算编码", "单位名称", "统一社会信用代码", "状态")
	form.Fields[1].Width, form.Fields[2].Width = 40, 24
	form.Fields[0].Note = "编号 " + c.Number + "，时间 " + c.At.Format(time.DateTime) + "（北京时间）"
	form.Fields[1].Note = c.Says()
	form.Fields[2].Note = "名单摘要（SM3）：" + c.Digest
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(c.UnitName+"-"+c.Kind()+"-"+c.Number+".xlsx"))
	rows := func(yield func(tianbao.Row, error) bool) {
		for i := range c.List {
			u := &c.List[i]
			if !yield(tianbao.Row{Values: tianbao.Values{u.Code, u.Name, u.Org, u.State.Title()}}, nil) {
				return
			}
		}
	}
	if err := s.Workbooks.List(w, form, c.Kind(), rows, c.At); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}
