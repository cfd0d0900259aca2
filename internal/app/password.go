package app

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"tianbao/internal/sheet"
)

// passwordEnv gives the password of encrypted workbooks. It is no flag: a command
// line is seen by everybody on the machine, and kept in the shell's history.
const passwordEnv = "TIANBAO_WORKBOOK_PASSWORD"

// passwordHelp ends the usage of commands that read workbooks.
const passwordHelp = "带打开密码的工作簿：用环境变量 " + passwordEnv + " 给出密码，或加 --password-stdin 从标准输入的第一行读取。"

// maxPassword bounds the line of standard input; Office takes 255 characters.
const maxPassword = 4 << 10

// readFlags defines the flags of all commands that read workbooks. The function it
// returns gives what they say, once they are parsed.
func readFlags(fl *flag.FlagSet) func(e env) (sheet.ReadOptions, error) {
	title := fl.String("sheet", "", "读哪一张工作表：它的`名称`；不给时自己找，有几张都像时会列出来")
	fromStdin := fl.Bool("password-stdin", false, "从标准输入的第一行读取工作簿的打开密码")
	return func(e env) (sheet.ReadOptions, error) {
		password, err := e.workbookPassword(*fromStdin)
		if err != nil {
			err = fmt.Errorf("读不到标准输入里的密码：%s", reason(err))
		}
		return sheet.ReadOptions{Password: password, Sheet: *title}, err
	}
}

// workbookPassword returns the password for the workbooks of a command: the first
// line of standard input if asked for, else that of the environment.
func (e env) workbookPassword(fromStdin bool) (string, error) {
	if !fromStdin {
		return e.getenv(passwordEnv), nil
	}
	line, err := bufio.NewReader(io.LimitReader(e.stdin, maxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}
