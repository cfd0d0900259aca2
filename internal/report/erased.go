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

// rowErased refuses a change of a row whose person is erased: nobody comes back into it.
func rowErased() error {
	return &tianbao.Error{
		Kind: tianbao.ErrConflict, Code: "row_erased",
		Message: "这一行的个人信息已按期清除，不能再改；不需要的可以删除整行，要填新的人请另加一行。",
	}
}
