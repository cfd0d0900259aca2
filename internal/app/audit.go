package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/clock"
)

// auditTrail is `tianbao audit verify|export|archive|key`, for who has the machine.
func auditTrail(ctx context.Context, e env, args []string) int {
	const usage = "用法：tianbao audit verify [文件]|export|archive|key [选项]"
	if len(args) == 0 {
		_, _ = fmt.Fprintln(e.stderr, usage)
		return exitUsage
	}
	var p place
	var out, file, key string
	months := audit.KeptMonths
	fs := e.flags("audit " + args[0])
	p.flags(fs)
	switch args[0] {
	case "verify":
		fs.StringVar(&file, "file", "", "校验导出或归档的审计文件；给出 --key 时不开数据库")
		fs.StringVar(&key, "key", "", "本系统的审计公钥（tianbao audit key 显示的）")
	case "export":
		fs.StringVar(&out, "o", "", "导出到文件，不能已经存在；默认写到标准输出")
	case "archive":
		fs.StringVar(&out, "o", "", "归档文件，不能已经存在")
		fs.IntVar(&months, "months", months, "在数据库里保存几个月，更早的归档；至少 6")
	case "key":
	default:
		_, _ = fmt.Fprintln(e.stderr, usage)
		return exitUsage
	}
	if err := e.parse(fs, args[1:]); err != nil {
		return e.failed(err)
	}
	if args[0] == "verify" && file == "" && fs.NArg() == 1 {
		file = fs.Arg(0)
	} else if fs.NArg() > 0 {
		_, _ = fmt.Fprintln(e.stderr, usage)
		return exitUsage
	}
	if file != "" && key != "" {
		return e.verifyFile(file, key)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		switch args[0] {
		case "archive":
			return exitOK, in.archiveTrail(ctx, e, out, months)
		case "key":
			_, _ = fmt.Fprintln(e.stdout, in.audit.Signer.PublicKey())
			return exitOK, nil
		case "export":
			return exitOK, in.exportTrail(ctx, e, out)
		}
		if file != "" {
			return e.verifyFile(file, in.audit.Signer.PublicKey()), nil
		}
		kept, err := readCheckpoints(in.checkpoints)
		if err != nil {
			return 0, err
		}
		f, err := in.audit.Verify(ctx, kept...)
		if err != nil {
			return 0, err
		}
		return e.tellFindings(f), nil
	})
}

// tellFindings prints what a verification found.
func (e env) tellFindings(f *audit.Findings) int {
	if f.OK() {
		_, _ = fmt.Fprintf(e.stdout, "审计记录完整：%d 条，没有发现改动。\n", f.Records)
		if f.Archived > 0 {
			_, _ = fmt.Fprintf(e.stdout, "更早的 %d 条在归档文件里，用 tianbao audit verify 文件 校验。\n", f.Archived)
		}
		if f.Rights > 0 {
			_, _ = fmt.Fprintf(e.stdout, "账号和授权完整：%d 项，没有发现改动。\n", f.Rights)
		}
		return exitOK
	}
	if len(f.Altered) > 0 {
		_, _ = fmt.Fprintf(e.stdout, "账号或授权被动过：%d 项中有 %d 项不是本系统写入的，已经不起作用。请报告安全管理员和审计管理员，收回后重新授权。\n", f.Rights, len(f.Altered))
		for _, row := range f.Altered {
			_, _ = fmt.Fprintf(e.stdout, "  %s\n", row)
		}
	}
	if len(f.Faults) == 0 {
		return exitError
	}
	_, _ = fmt.Fprintf(e.stdout, "审计记录被动过：%d 条记录中发现 %d 处。请保留数据库，不要继续使用，并报告安全管理员。\n", f.Records, len(f.Faults)+f.More)
	for _, x := range f.Faults {
		_, _ = fmt.Fprintf(e.stdout, "  链 %d 第 %d 条：%s\n", x.Lane, x.Seq, x.Message)
	}
	if f.More > 0 {
		_, _ = fmt.Fprintf(e.stdout, "  还有 %d 处没有列出。\n", f.More)
	}
	return exitError
}

// verifyFile verifies an export with nothing but the public key.
func (e env) verifyFile(path, key string) int {
	f, err := os.Open(path)
	if err != nil {
		return e.failed(fmt.Errorf("不能打开 %s：%w", path, err))
	}
	defer f.Close()
	found, err := audit.VerifyExport(f, key)
	switch {
	case errors.Is(err, audit.ErrSignature):
		_, _ = fmt.Fprintln(e.stdout, "文件末尾的签名不对：不是这个公钥的系统导出的，或者导出后被改过。")
		return exitError
	case errors.Is(err, audit.ErrExport):
		return e.failed(errors.New("这不是导出的审计文件，或者没有导出完整"))
	case err != nil:
		return e.failed(err)
	}
	return e.tellFindings(found)
}

func (in *installation) exportTrail(ctx context.Context, e env, path string) (err error) {
	w := e.stdout
	if path != "" {
		f, ferr := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if ferr != nil {
			return fmt.Errorf("不能新建 %s，请换一个文件名：%w", path, ferr)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	if err := in.store.Record(ctx, tianbao.Event{At: clock.System(), What: "trail.export"}); err != nil {
		return err
	}
	buf := bufio.NewWriter(w)
	err = in.audit.Export(ctx, func(line []byte) error {
		_, _ = buf.Write(line) // Flush tells
		return buf.WriteByte('\n')
	})
	return errors.Join(err, buf.Flush())
}

// checkpointEvery is how often a running server signs the trail (security.md 24).
const checkpointEvery = 24 * time.Hour

// keepSigned verifies and signs the trail when the server starts and once a day, and
// keeps the checkpoints beside the database too: a database that is put back to an
// earlier state does not fit them any more. The function it returns waits for its end.
func (in *installation) keepSigned(ctx context.Context, log *slog.Logger) func() {
	return atOnceAndEvery(ctx, checkpointEvery, func() {
		if err := in.sign(ctx); err != nil && ctx.Err() == nil {
			log.Error("the audit trail is not as it should be; run: tianbao audit verify", "err", err)
		}
	})
}

func (in *installation) sign(ctx context.Context) error {
	kept, err := readCheckpoints(in.checkpoints)
	if err != nil {
		return err
	}
	c, err := in.audit.Checkpoint(ctx, kept...)
	if err != nil {
		return err
	}
	err = appendCheckpoint(in.checkpoints, c)
	_, altered, aerr := in.store.AlteredRights(ctx)
	if len(altered) > 0 { // the trail is sound and signed all the same
		aerr = fmt.Errorf("app: %d rows of rights were altered", len(altered))
	}
	return errors.Join(err, aerr)
}

// readCheckpoints reads the file of checkpoints; there may be none yet.
func readCheckpoints(path string) ([]audit.Signed, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("不能读检查点文件 %s：%w", path, err)
	}
	var out []audit.Signed
	dec := json.NewDecoder(bytes.NewReader(b))
	for {
		var c audit.Signed
		err := dec.Decode(&c)
		// A line that was cut off by a crash was never relied on.
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("检查点文件 %s 的内容不对，请换回备份：%w", path, err)
		}
		out = append(out, c)
	}
}

// appendCheckpoint adds a line to the file, on disk when it returns.
func appendCheckpoint(path string, c audit.Signed) (err error) {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("app: encode a checkpoint: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(append(b, '\n')); err != nil {
		return err
	}
	return f.Sync()
}
