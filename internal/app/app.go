package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"tianbao"
)

// Version is shown by `tianbao version`, on the pages and by the API.
const Version = "0.1.0"

// Exit codes of all subcommands but check, which has its own (form.md §6).
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// env is what a subcommand runs in.
type env struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one subcommand.
type command struct {
	name, args, help string
	run              func(ctx context.Context, e env, args []string) int
}

func commands() []command {
	return []command{
		{"serve", "[选项]", "启动服务（--demo 带演示数据）", serve},
		{"check", "[选项] 文件…", "不经服务器校验工作簿", checkFiles},
		{"template", "[-o 文件]", "写出空白采集表", func(ctx context.Context, e env, args []string) int {
			return Template(ctx, args, e.stdout, e.stderr)
		}},
		{"merge", "-o 输出 文件…|目录", "把多份采集表合并成一份", func(ctx context.Context, e env, args []string) int {
			return merge(ctx, e, args)
		}},
		{"datapackage", "-o 目录|包.zip 文件…", "把采集表写成数据包（CSV 和说明）", func(ctx context.Context, e env, args []string) int {
			return dataPackage(ctx, e, args)
		}},
		{"dump", "[--exact] 文件", "显示读取程序看到的内容", dumpFile},
		{"user", "add|passwd|grant|revoke|list [选项]", "管理账号", user},
		{"units", "import 文件 | list [选项]", "导入、列出单位登记册", units},
		{"campaign", "recount [选项]", "重新计算采集的填报情况，与保存时记下的比较", campaigns},
		{"audit", "verify|export|archive|key [选项]", "校验、导出、归档审计记录", auditTrail},
		{"erase", "--campaign 编号|--person [选项]", "保存期满后清除一次采集或一个人的信息", erase},
		{"trace", "[选项] 工作簿", "查出一份导出的工作簿是谁在何时导出的", trace},
		{"keys", "status|rotate|retire [选项]", "查看、轮换、停用加密密钥", keys},
		{"rekey", "[选项]", "换一个密钥，并把已存的内容用它重新加密（可以随时中断再来）", rekey},
		{"backup", "-o 文件 [选项]", "把运行中的数据库备份成一个加密文件", backUp},
		{"restore", "[选项] 备份文件|--from 文件夹", "把备份恢复成一个新数据库；持续备份可恢复到任何一秒", restore},
		{"drill", "--from 文件夹 [选项]", "演练：从持续备份恢复几个时间点，逐个校验", drill},
		{"verify", "[选项] 备份文件", "校验备份是否完好", verifyBackup},
		{"export-all", "-o 文件.zip [选项]", "把全部数据写成工作簿、JSON 行和文件，不需要本系统也能读", exportAll},
		{"move", "--to 数据库 [选项]", "把数据搬到另一个数据库（SQLite、PostgreSQL 之间）", move},
		{"doctor", "[选项]", "逐项检查这套系统是否正常，并告诉怎么办", doctor},
		{"health", "[选项]", "问本机的服务是否正常（容器的健康检查）", health},
		{"openapi", "", "写出接口的 OpenAPI 文档", openAPI},
		{"version", "", "显示版本和程序文件的 SHA-256", func(_ context.Context, e env, _ []string) int {
			digest, err := programDigest()
			if err != nil {
				return e.failed(err)
			}
			_, _ = fmt.Fprintf(e.stdout, "tianbao %s\nsha256 %s\n", build(), digest)
			return exitOK
		}},
	}
}

// Run carries out the command line and returns the exit code. Every flag can also
// be given as an environment variable TIANBAO_… ; a flag on the line wins.
func Run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := env{getenv, stdin, stdout, stderr}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		if len(args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, e, args[1:])
		}
	}
	_, _ = fmt.Fprintf(stderr, "没有 %q 这个命令，可用的命令见 tianbao help。\n", args[0])
	return exitUsage
}

func usage(w io.Writer) {
	_, _ = fmt.Fprintln(w, "tianbao：行政事业单位信息采集（填报）\n\n用法：tianbao 命令 [选项]\n\n命令：")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-10s %-32s %s\n", c.name, c.args, c.help)
	}
	_, _ = fmt.Fprintln(w, "\n每个命令的选项：tianbao 命令 -h")
}

// flags returns an empty flag set that writes Chinese usage to stderr.
func (e env) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(e.stderr)
	fs.Usage = func() {
		_, _ = fmt.Fprintf(e.stderr, "用法：tianbao %s [选项]\n", name)
		fs.PrintDefaults()
	}
	return fs
}

// parse reads the command line, then fills what it left out from TIANBAO_… .
func (e env) parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil {
		return err
	}
	set := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		key := "TIANBAO_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := e.getenv(key); v != "" && !set[f.Name] {
			if serr := fs.Set(f.Name, v); serr != nil {
				err = fmt.Errorf("环境变量 %s 的值无法识别，请改正：%w", key, serr)
			}
		}
	})
	return err
}

// failed tells the operator what went wrong and returns the exit code.
func (e env) failed(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	var te *tianbao.Error
	if errors.As(err, &te) && te.Message != "" {
		_, _ = fmt.Fprintln(e.stderr, te.Message)
	} else {
		_, _ = fmt.Fprintln(e.stderr, "出错了：", err)
	}
	return exitError
}
