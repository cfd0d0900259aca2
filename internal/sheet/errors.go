package sheet

import (
	"context"
	"errors"
	"fmt"

	"tianbao"
)

// The sentences of form.md §6. Each says what the file is and what to do.

func errUnreadable(message string, cause error) error {
	return tianbao.WorkbookError("unreadable", message, cause)
}

func errTooBig(message string, cause error) error {
	return tianbao.WorkbookError("too_large", message, cause)
}

func errUnsupported(what string) error {
	return tianbao.WorkbookError("unsupported",
		"这是"+what+"，暂时不能直接读取；请用 Excel 或 WPS 打开，另存为“Excel 工作簿（.xlsx）”后再上传。",
		errors.New("sheet: format not supported"))
}

// errDamaged is for a file that began as a workbook and cannot be read to its end.
func errDamaged(cause error) error {
	return errUnreadable("文件已损坏或不完整，没有读入任何内容；请重新下载或复制，在 Excel 或 WPS 中打开并另存为 .xlsx 后再上传。", cause)
}

// blame makes sure that an error can be shown: those of this package and the end
// of the context pass, all others mean that the file is damaged.
func blame(doing string, err error) error {
	var e *tianbao.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("sheet: %s: %w", doing, err)
	}
	return errDamaged(fmt.Errorf("sheet: %s: %w", doing, err))
}
