package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/figure"
)

// The map that a province brings for its regions. The program has none of its own: a map
// that is shown needs the number under which it was approved (审图号).

// maxMap bounds an uploaded map.
const maxMap = 10 << 20

// wireRegionMap is the map of the caller's province.
type wireRegionMap struct {
	Approval string   `json:"approval,omitempty"` // "" where there is no map
	At       string   `json:"at,omitempty"`
	Missing  []string `json:"missing"` // regions that have no outline in it
}

// wireMapFile is the upload of a map: GeoJSON, with the number of its approval.
type wireMapFile struct {
	Approval string `json:"approval"`
}

// regionMapPage is the data of regionmap.html.
type regionMapPage struct {
	CSRF     string
	Province tianbao.Region
	Map      tianbao.RegionMap // Approval "": there is none
	Drawn    template.HTML
	Missing  []string
	Approval string // that was refused
	Message  string
}

// approvals is the shape of such a number: 辽S(2020)118号, GS(2024)0650号, GS京(2023)1号.
var approvals = regexp.MustCompile(`^(?:GS\p{Han}?|\p{Han}[A-Z]?S)\((?:19|20)[0-9]{2}\)[0-9]{1,6}号$`)

// approval brings the number of an approval into one form and refuses what is none.
func approval(text string) (string, error) {
	text = strings.Map(func(r rune) rune {
		switch r {
		case '（', '〔', '[', '【', '［':
			return '('
		case '）', '〕', ']', '】', '］':
			return ')'
		case ' ', '　', '\t':
			return -1
		}
		if '０' <= r && r <= 'ｚ' { // full width
			return r - '０' + '0'
		}
		return r
	}, strings.TrimSpace(text))
	text = strings.TrimLeft(strings.TrimPrefix(text, "审图号"), ":：")
	if text = strings.ToUpper(text); !approvals.MatchString(text) {
		return "", tianbao.Invalid("bad_approval", "审图号无法识别，请照地图上印的填写，例如“辽S(2020)118号”“GS(2024)0650号”。")
	}
	return text, nil
}

// province is the region of the province whose register the viewer keeps, with the regions
// right below it; tianbao.NotFound for everybody else.
func (s *Server) province(r *http.Request, v *viewer) (p tianbao.Region, below []tianbao.Region, err error) {
	u := v.user()
	scope := tianbao.Scope{Paths: slices.DeleteFunc(slices.Clone(u.Scope(tianbao.PowerRegister).Paths), func(p string) bool { return strings.Count(p, "/") > 2 })}
	roots, err := s.Register.Roots(r.Context(), scope)
	if err != nil {
		return p, nil, err
	}
	regions, err := s.Register.Regions(r.Context())
	if err != nil {
		return p, nil, err
	}
	for i := range roots {
		at := slices.IndexFunc(regions, func(g tianbao.Region) bool { return g.ID == roots[i].Unit.Region && g.Parent == 0 })
		if at < 0 {
			continue
		}
		p = regions[at]
		for _, g := range regions {
			if g.Parent == p.ID {
				below = append(below, g)
			}
		}
		return p, below, nil
	}
	return p, nil, tianbao.NotFound()
}

// regionMap shows the map of the province, and takes another one.
func (s *Server) regionMap(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.regionMapShow(w, r, v, http.StatusOK, "", "")
}

func (s *Server) regionMapShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message, refused string) error {
	p := regionMapPage{CSRF: v.signed.CSRF, Message: message, Approval: refused}
	var below []tianbao.Region
	var err error
	if p.Province, below, err = s.province(r, v); err != nil {
		return err
	}
	out := wireRegionMap{Missing: []string{}}
	m, shapes, err := s.mapOf(r, p.Province.ID)
	if err != nil {
		return err
	}
	if m.Approval != "" {
		p.Map, out.Approval, out.At = m, m.Approval, stamp(m.At)
		p.Drawn, out.Missing = drawProvince(below, shapes)
		p.Missing = out.Missing
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "regionmap.html", "地图", &p)
	return nil
}

// mapOf reads a province's map, shapes by region; an empty one where there is none.
func (s *Server) mapOf(r *http.Request, province tianbao.ID) (m tianbao.RegionMap, shapes map[string]*figure.Shape, err error) {
	m, err = s.Register.RegionMap(r.Context(), province)
	if err != nil {
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return tianbao.RegionMap{}, nil, nil
		}
		return m, nil, err
	}
	var list []figure.Shape
	if json.Unmarshal(m.Shapes, &list) != nil {
		return m, nil, fmt.Errorf("web: the stored map of region %s is not readable", province)
	}
	shapes = make(map[string]*figure.Shape, len(list))
	for i := range list {
		shapes[list[i].Key] = &list[i]
	}
	return m, shapes, nil
}

// putRegionMap takes a map.
func (s *Server) putRegionMap(w http.ResponseWriter, r *http.Request, v *viewer) error {
	province, below, err := s.province(r, v)
	if err != nil {
		return err
	}
	refused := func(err error, said string) error {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrTooLarge) {
			return err
		}
		return s.regionMapShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, said)
	}
	_, data, err := upload(r)
	if err != nil {
		return refused(err, "")
	}
	said := r.PostFormValue("approval")
	m := tianbao.RegionMap{Region: province.ID, At: s.Now(), By: v.user().ID}
	if m.Approval, err = approval(said); err != nil {
		return refused(err, said)
	}
	if len(data) > maxMap {
		return refused(&tianbao.Error{Kind: tianbao.ErrTooLarge, Code: "too_large", Message: "地图文件超过 10 MB，请用只含本省各市的文件。"}, said)
	}
	shapes, err := figure.ReadGeo(data, func(code, name string) string { return regionKey(below, code, name) })
	if err != nil {
		return refused(badMap(err), said)
	}
	if m.Shapes, err = json.Marshal(shapes); err != nil {
		return fmt.Errorf("web: encode a map: %w", err)
	}
	e := tianbao.Event{At: m.At, Actor: m.By, From: address(r), What: "map.put", Object: province.ID.String(), Detail: fmt.Sprintf("regions=%d", len(shapes))}
	if err := s.Register.PutRegionMap(r.Context(), &m, e); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/regions/map")
}

// regionKey is the region of a feature, "" for none: the city of its code or of the county
// that it is, else the one of its name.
func regionKey(regions []tianbao.Region, code, name string) string {
	const city = 4
	for i := range regions {
		g := &regions[i]
		if code != "" && len(g.Code) >= city && code[:city] == g.Code[:city] {
			return g.ID.String()
		}
	}
	for i := range regions {
		g := &regions[i]
		if name != "" && (g.Name == name || shortRegion(g.Name) == shortRegion(name)) && (code == "" || g.Code == "") {
			return g.ID.String()
		}
	}
	return ""
}

// badMap says why a file is no map.
func badMap(err error) error {
	fault, _ := err.(figure.GeoFault) //nolint:errorlint // it is never wrapped
	return tianbao.Invalid("bad_map", cmp.Or(map[figure.GeoFault]string{
		figure.GeoNotJSON:    "这个文件不是 GeoJSON，请上传扩展名是 .json 或 .geojson 的地图文件。",
		figure.GeoNotMap:     "这个文件不是 GeoJSON 的要素集（FeatureCollection），请用地图软件另存为 GeoJSON 后再上传。",
		figure.GeoNoShape:    "文件里没有本省各市的边界：每个要素要有多边形和六位区划代码，请换一个文件。",
		figure.GeoNotDegrees: "坐标不是经纬度，请在地图软件里转换为经纬度坐标（CGCS2000 或 WGS84）后再上传。",
		figure.GeoTooMany:    "地图过于细密，请在地图软件里简化边界，或者只留下本省各市后再上传。",
		figure.GeoTwoMaps:    "坐标的范围太大，不是一个省，请检查文件中的坐标。",
	}[fault], "文件里有无法识别的坐标，请用地图软件检查后重新导出。"))
}

// dropRegionMap takes the map away again.
func (s *Server) dropRegionMap(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	province, _, err := s.province(r, v)
	if err != nil {
		return err
	}
	e := tianbao.Event{At: s.Now(), Actor: v.user().ID, From: address(r), What: "map.drop", Object: province.ID.String()}
	if err := s.Register.DropRegionMap(r.Context(), province.ID, e); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/regions/map")
}
