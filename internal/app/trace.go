package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"tianbao/internal/audit"
	"tianbao/internal/sheet"
)

// traceCode is the code of an export with its check, which says that a mark is ours.
func traceCode(digest func(string, ...[]byte) string, code uint32) (t sheet.Trace) {
	binary.BigEndian.PutUint32(t[:4], code)
	check, err := strconv.ParseUint(digest("export mark", t[:4])[:2], 16, 8)
	if err != nil {
		panic(err) // a digest is hexadecimal
	}
	t[4] = byte(check)
	return t
}

// trace is `tianbao trace`: it tells which export a workbook, or what is left of it,
// comes from.
func trace(ctx context.Context, e env, args []string) int {
	var p place
	fs := e.flags("trace")
	p.flags(fs)
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() != 1 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao trace [选项] 工作簿（选项在前；不是 .xlsx 的先用 LibreOffice 另存为 .xlsx）")
		return exitUsage
	}
	found, err := findTrace(ctx, fs.Arg(0))
	if err != nil {
		return e.failed(err)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		var ours []sheet.Found
		for _, f := range found {
			if traceCode(in.digest, binary.BigEndian.Uint32(f.Code[:4])) == f.Code {
				ours = append(ours, f)
			}
		}
		if len(ours) == 0 {
			_, _ = fmt.Fprintln(e.stdout, "没有找到本系统导出的标记：不是本系统导出的，或者只复制了文字、改过字的颜色。")
			return exitError, nil
		}
		return exitOK, in.tellTrace(ctx, e, ours)
	})
}

func findTrace(ctx context.Context, path string) ([]sheet.Found, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("不能打开 %s：%w", path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("这不是一个文件，请给出工作簿的文件名")
	}
	return sheet.FindTrace(ctx, f, st.Size())
}

// tellTrace prints what the trail says of the exports.
func (in *installation) tellTrace(ctx context.Context, e env, ours []sheet.Found) error {
	const page = 1000
	q := audit.Query{What: "export", Limit: page}
	told := make(map[int]bool)
	for {
		lines, err := in.store.Trail(ctx, q)
		if err != nil {
			return err
		}
		for _, l := range lines {
			for i, f := range ours {
				if !strings.HasSuffix(l.Detail, fmt.Sprintf(" mark=%08x", f.Code[:4])) {
					continue
				}
				told[i] = true
				why := l.Reason
				if why == "" {
					why = "（本单位填报人导出）"
				}
				_, _ = fmt.Fprintf(e.stdout, "标记 %08x，%s：%s 从 %s 导出，单位：%s，报表 %s，用途：%s\n",
					f.Code[:4], rowsOf(f), audit.Stamp(l.At)+" "+l.ActorName, l.From, l.OwnerName, l.Object, why)
			}
		}
		if len(lines) < page {
			break
		}
		q.Before = lines[len(lines)-1].ID
	}
	for i, f := range ours {
		if !told[i] {
			_, _ = fmt.Fprintf(e.stdout, "标记 %08x，%s：是本系统的，但审计记录里没有这次导出。\n", f.Code[:4], rowsOf(f))
		}
	}
	return nil
}

func rowsOf(f sheet.Found) string {
	if f.Rows == 0 {
		return "由零散的单元格拼出"
	}
	return fmt.Sprintf("%d 行", f.Rows)
}
