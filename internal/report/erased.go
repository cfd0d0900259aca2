package report

import "tianbao"

// Open refuses a report whose personal cells are erased: nothing new is written to it.
func Open(rep *tianbao.Report) error {
	if rep.State != tianbao.StateErased {
		return nil
	}
	return &tianbao.Error{
		Kind: tianbao.ErrConflict, Code: "erased",
		Message: "这张表的保存期限已满，个人信息已经清除，不能再填写；需要补报请联系财政部门。",
	}
}
