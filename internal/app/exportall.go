package app

import (
	"archive/zip"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/sheet"
	"tianbao/internal/store"
)

// exportAll is `tianbao export-all`: everything that the office owns in one zip file, in
// formats that other programs read. It is a way out of this program, not a backup.
func exportAll(ctx context.Context, e env, args []string) int {
	var p place
	var to, reason string
	var clear bool
	fs := e.flags("export-all")
	p.flags(fs)
	fs.StringVar(&to, "o", "", "写到这个 .zip 文件，不能已经存在")
	fs.BoolVar(&clear, "clear", false, "身份证号码、联系方式等加密保存的内容也写出明文；不带时打码，其余加密的内容不写")
	fs.StringVar(&reason, "reason", "", "带 --clear 时说明用途，记入审计记录")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if to == "" || fs.NArg() > 0 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao export-all -o 文件.zip [--clear --reason 用途] [选项]")
		return exitUsage
	}
	if reason = strings.TrimSpace(reason); clear && utf8.RuneCountInString(reason) < 4 {
		return e.failed(errors.New("导出明文要说明用途，请用 --reason 写明，至少 4 个字"))
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		f, err := newWhole(to, "导出文件")
		if err != nil {
			return exitError, err
		}
		// What leaves is on the trail before anything of it has left.
		event := tianbao.Event{At: clock.System(), What: "export.all", Detail: fmt.Sprintf("clear=%t", clear), Reason: reason}
		if err := in.store.Record(ctx, event); err != nil {
			f.drop()
			return exitError, err
		}
		x := &allOut{in: in, z: zip.NewWriter(f), clear: clear, at: clock.System()}
		err = errors.Join(x.write(ctx), x.z.Close())
		if err == nil {
			err = f.keep()
		}
		if err != nil {
			f.drop()
			event.At, event.Result = clock.System(), tianbao.ResultFailed
			return exitError, errors.Join(err, in.store.Record(context.WithoutCancel(ctx), event))
		}
		rows := int64(0)
		for _, n := range x.sum.Rows {
			rows += n
		}
		_, _ = fmt.Fprintf(e.stdout, "已导出到 %s：%d 张表，%d 行，%d 个工作簿，%d 个文件。\nSHA-256 %s\n", to, len(x.sum.Rows), rows, x.books, x.sum.Files, hex.EncodeToString(f.sum.Sum(nil)))
		if clear {
			_, _ = fmt.Fprintln(e.stdout, "里面有身份证号码和联系方式的明文，请加密存放，用完销毁。")
		}
		return exitOK, nil
	})
}

// allOut is one export.
type allOut struct {
	in    *installation
	z     *zip.Writer
	clear bool
	at    time.Time
	sum   *store.AllSummary
	books int
}

// manifest is what the file says of itself.
type manifest struct {
	Program string    `json:"program"`
	At      time.Time `json:"at"`
	Clear   bool      `json:"clear"`
	*store.AllSummary
}

func (x *allOut) create(name string) (io.Writer, error) {
	return x.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: x.at})
}

func (x *allOut) write(ctx context.Context) error {
	w, err := x.create("说明.txt")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, allReadme); err != nil {
		return err
	}
	if err := x.workbooks(ctx); err != nil {
		return err
	}
	x.sum, err = x.in.store.ExportAll(ctx, x.clear, store.AllTo{
		Table: func(name string) (io.Writer, error) { return x.create("tables/" + name + ".jsonl") },
		File: func(folder string, id tianbao.ID, name string) (string, io.Writer, error) {
			path := "files/" + folder + "/" + id.String() + "-" + tame(name)
			w, err := x.create(path)
			return path, w, err
		},
		Mask: x.mask,
	})
	if err != nil {
		return err
	}
	if w, err = x.create("manifest.json"); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(manifest{"tianbao " + Version, x.at.In(clock.Shanghai), x.clear, x.sum})
}

func (x *allOut) mask(form string, version, field int, value string) (string, error) {
	c, err := x.in.checker(form, version)
	if err != nil {
		return "", err
	}
	return c.Mask(field, value), nil
}

// workbooks writes one for each collection that has rows.
func (x *allOut) workbooks(ctx context.Context) error {
	list, err := x.in.store.Collections(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		c := &list[i]
		reports, err := x.in.store.Filed(ctx, tianbao.Scope{Paths: []string{"/"}}, c.ID)
		if err != nil {
			return err
		}
		if len(reports) == 0 {
			continue
		}
		f, err := x.in.form(c.Form, c.FormV)
		if err != nil {
			return err
		}
		wide := *f
		wide.Fields = append(slices.Clone(f.Fields), tianbao.Field{
			Key: "report_unit", Letter: string(rune('A' + len(f.Fields))), Title: "填报单位", Kind: tianbao.KindText, Width: 30,
		})
		w, err := x.create("workbooks/" + c.ID.String() + "-" + tame(c.Title) + ".xlsx")
		if err != nil {
			return err
		}
		if err := sheet.Write(w, &wide, x.rows(ctx, f, reports), sheet.WriteOptions{Created: x.at, Sheet: "汇总"}); err != nil {
			return fmt.Errorf("collection %s: %w", c.ID, err)
		}
		x.books++
	}
	return nil
}

// errTaken ends reading when nobody takes the rows.
var errTaken = errors.New("app: nobody takes the rows")

// rows gives the rows of reports one by one and keeps none.
func (x *allOut) rows(ctx context.Context, f *tianbao.Form, reports []tianbao.Report) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		n := 0
		for i := range reports {
			rep := &reports[i]
			own, err := x.in.form(rep.Form, rep.FormV)
			if err == nil {
				_, err = x.in.store.EachRow(ctx, tianbao.Scope{Paths: []string{"/"}}, rep.ID, func(row *tianbao.Row) error {
					n++
					out := tianbao.Row{Seq: n, Values: make(tianbao.Values, len(f.Fields), len(f.Fields)+1)}
					for k := range f.Fields {
						at := own.Index(f.Fields[k].Key)
						if at < 0 {
							continue
						}
						if out.Values[k] = row.Values[at]; !x.clear {
							if out.Values[k], err = x.mask(rep.Form, rep.FormV, at, row.Values[at]); err != nil {
								return err
							}
						}
					}
					out.Values = append(out.Values, rep.OwnerName)
					if !yield(out, nil) {
						return errTaken
					}
					return nil
				})
			}
			switch {
			case errors.Is(err, errTaken):
				return
			case tianbao.KindOf(err) == tianbao.ErrNotFound: // taken away meanwhile
			case err != nil:
				yield(tianbao.Row{}, err)
				return
			}
		}
	}
}

// tame makes a name of a file of a name for people: whatever it holds, it stays within its
// folder and opens on any system.
func tame(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
	if name = strings.Trim(name, ". "); name == "" {
		name = "_"
	}
	if runes := []rune(name); len(runes) > 80 { // the ending stays
		name = string(runes[:40]) + string(runes[len(runes)-40:])
	}
	return name
}

const allReadme = `这是 tianbao 的全部数据，格式是公开的，不需要本系统也能读。

workbooks/   每次采集一个工作簿，各单位填报的内容都在里面。
tables/      每张表一个文件，一行一个 JSON 对象（JSON Lines，UTF-8）。时间是 1970 年以来的毫秒数，0 表示没有；
             report_row 的 cells 按表样的字段名列出每一格；名字以 _base64 结尾的是二进制内容。
files/       通知的附件；导出明文时还有零申报、免报的证明材料。tables 里对应的行用 file 指出文件。
manifest.json  什么时候导出的、每张表有多少行、哪些表和列没有导出。

没有导出的：登录用的密码、第二因素和会话，检索用的密钥索引，防篡改的校验码，以及（没有用 --clear 时）加密保存的内容。
审计记录要能校验时，请用 tianbao audit export。要能恢复成一套系统，请用 tianbao backup：这个文件不是备份。
`
