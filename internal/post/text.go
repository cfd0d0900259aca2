package post

import (
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/letter"
)

// The sentences of answers.
const (
	saySaved        = "附件“%s”已保存到“%s”的表中。\n回执编号：%s\n时间：%s\n文件中的数据：%d 行\n表中现有：%d 行\n内容摘要：%s"
	sayAgain        = "附件“%s”的内容与 %s 收到的完全相同，没有重复导入，原回执编号是 %s。"
	sayFaults       = "附件“%s”中有 %d 处需要改正或说明，已保存为草稿，还不能上报；请打开本邮件所附的“%s”，照标出的单元格改正后，把它作为附件重新发来。"
	sayMoreFaults   = "附件“%s”中也有 %d 处需要改正或说明；一封回信只附一份批注，请改正后把这份文件单独发来，即可收到它的批注。"
	sayReported     = "“%s”的表已上报，上报回执编号 %s，时间 %s。"
	sayNotReported  = "数据已保存，尚未上报；需要上报时，请在邮件主题中写上“上报”二字，或登录系统上报。"
	sayFaultyReport = "因为还有没处理好的附件，这次没有上报；请全部改正后重新发来。"
	sayUnknown      = "邮件已收到，但您的邮箱还没有绑定填报单位，附件暂存待认领；请在邮件正文中写上本单位的激活码重新发来，或联系上级财政部门认领，认领后会自动处理，无需重发。"
	sayBadCode      = "邮件已收到，但其中的激活码不正确、已经用过或已过期，附件暂存待认领；请核对激活码后重新发来，或联系上级财政部门认领。"
	sayRebind       = "您的邮箱已绑定“%s”，邮件中的激活码属于另一个单位，附件没有导入，暂存待认领；如确需改为代另一个单位报送，请联系上级财政部门办理。"
	saySuspect      = "邮件没有通过发件域名的真伪验证（SPF、DKIM 或 DMARC），附件没有导入，暂存待认领；请改用本单位的正式邮箱直接发送，或联系上级财政部门核实。"
	sayFailed       = "邮件已收到，但系统多次处理没有成功，已转人工处理；处理后会再次回信，无需重发。"
	sayBound        = "您的邮箱已绑定填报单位“%s”，以后用这个邮箱发来的采集表都存入这个单位的表；邮件中的激活码已经使用，不能再用于建立账号。"
	sayBoundNoBook  = "现在可以把填好的采集表作为附件发来。"
	sayNoBook       = "邮件中没有找到采集表，没有导入任何内容；请把填好的采集表（.xlsx、.xls 或 .et）作为附件重新发来。"
	sayFoot         = "这是系统自动发出的回复。请勿在邮件中写明身份证号码和密码；有疑问请联系上级财政部门。"
)

// subjectOf is the subject of the answer to a verdict.
func subjectOf(v Verdict) string {
	switch v {
	case VerdictSaved:
		return "填报邮件已保存"
	case VerdictFaulty:
		return "填报邮件有错，请改正"
	case VerdictReported:
		return "填报邮件已上报"
	case VerdictBound:
		return "邮箱已绑定填报单位"
	case VerdictUnknown, VerdictSuspect, VerdictRebind, VerdictFailed:
		return "填报邮件待认领"
	}
	return "填报邮件没有导入"
}

// faultSentence says why a mail is not read.
func faultSentence(f letter.Fault) string {
	switch f {
	case letter.FaultLarge:
		return "邮件太大，没有导入任何内容；请只保留一份采集表作为附件（不超过 20 MB）重新发来。"
	case letter.FaultFiles:
		return "邮件的附件太多，没有导入任何内容；请每封邮件只附采集表，分几封发来。"
	case letter.FaultBomb:
		return "压缩包解开后太大，没有导入任何内容；请不要压缩，直接把采集表作为附件发来。"
	}
	return "邮件的结构无法识别，没有导入任何内容；请新写一封邮件，直接把采集表作为附件发来，不要转发或多层压缩。"
}

// kindSentence says what to do with a file that is no workbook, "" where there is nothing
// to be said.
func kindSentence(k letter.Kind) string {
	switch k {
	case letter.TNEF:
		return "这是 Outlook 特有的打包格式（winmail.dat），无法打开；请在 Outlook 中把邮件格式改为“HTML”或“纯文本”后，把采集表重新发来。"
	case letter.Archive:
		return "这种压缩包无法打开；请不要压缩，直接把采集表作为附件发来，或改用 .zip 格式。"
	case letter.Locked:
		return "压缩包设有密码，无法打开；请去掉密码，或直接把采集表作为附件发来。"
	case letter.Damaged:
		return "压缩包已损坏或不完整；请直接把采集表作为附件重新发来。"
	case letter.Empty:
		return "附件是空的，没有内容；请检查是否选错了文件后重新发来。"
	case letter.TooLarge:
		return "文件超过 20 MB，没有导入；请删去无关的工作表和图片，或分成几份重新发来。"
	}
	return ""
}

// refusal is the sentence of an error that the door gave, for who reads it in a mail.
func refusal(e *tianbao.Error) string {
	switch {
	case e.Code == "encrypted" || e.Code == "bad_password":
		return "文件设有打开密码，无法读取；请在 Excel 或 WPS 中去掉密码、另存后重新发来（不要把密码写在邮件里）。"
	case e.Code == "choose_sheet":
		return "文件中有不止一张采集表，看不出该用哪一张；请只保留一张后重新发来。"
	case e.Code == "confirm" || e.Code == "conflict":
		return e.Message + "邮件中无法选择，请登录系统在填报页面上导入这份文件，或联系上级财政部门。"
	}
	return e.Message
}

func moment(t time.Time) string { return t.In(clock.Shanghai).Format("2006-01-02 15:04:05") }
