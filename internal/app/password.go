package app

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// passwordEnv gives the password of encrypted workbooks. It is no flag: a command
// line is seen by everybody on the machine, and kept in the shell's history.
const passwordEnv = "TIANBAO_WORKBOOK_PASSWORD"

// passwordHelp ends the usage of commands that read workbooks.
const passwordHelp = "带打开密码的工作簿：用环境变量 " + passwordEnv + " 给出密码，或加 --password-stdin 从标准输入的第一行读取。"

// maxPassword bounds the line of standard input; Office takes 255 characters.
const maxPassword = 4 << 10

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
