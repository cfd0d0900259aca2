package audit

import "slices"

// kinds are the events that the trail knows, in the users' words. A house test holds
// every event that is written against it.
var kinds = [...]struct{ what, title string }{
	{"signin", "登录"},
	{"signin.fail", "登录失败"},
	{"signout", "退出"},
	{"session.end", "结束登录"},
	{"factor.pass", "通过第二因素"},
	{"factor.fail", "第二因素错误"},
	{"factor.set", "设置第二因素"},
	{"factor.codes", "更换恢复码"},
	{"factor.drop", "取消第二因素"},
	{"key.add", "绑定登录凭据"},
	{"key.name", "更改登录凭据名称"},
	{"key.remove", "解除登录凭据"},
	{"code.issue", "发放激活码"},
	{"code.use", "使用激活码"},
	{"code.fail", "激活码错误"},
	{"denied", "越权访问被拒"},
	{"limited", "操作过于频繁被拒"},
	{"start", "启动服务"},
	{"start.changed", "程序或设置有变"},
	{"user.create", "建立账号"},
	{"user.password", "重设密码"},
	{"user.disable", "停用或启用账号"},
	{"user.dormant", "长期不用，自动停用账号"},
	{"grant.give", "授予角色"},
	{"grant.end", "收回角色"},
	{"grant.lend", "委托权限"},
	{"token.make", "发放接口令牌"},
	{"token.end", "停用接口令牌"},
	{"office.give", "任命管理员"},
	{"office.refuse", "不同意任命管理员"},
	{"rights.seal", "为账号和授权建立校验码"},
	{"rights.altered", "账号或授权记录被动过"},
	{"save", "提交"},
	{"report", "上报"},
	{"report.read", "读取报表明细"},
	{"reveal", "查看完整信息"},
	{"campaign.read", "汇总查看各单位明细"},
	{"campaign.create", "建立采集"},
	{"campaign.edit", "修改采集"},
	{"campaign.open", "开放采集"},
	{"campaign.end", "结束采集"},
	{"campaign.archive", "归档采集"},
	{"campaign.rule", "安排采集的范围和时间"},
	{"campaign.lock", "锁定单位"},
	{"campaign.reopen", "重新开放单位"},
	{"campaign.release", "取消采集的安排"},
	{"review.levels", "设置审核层级"},
	{"review.read", "查看待审的填报内容"},
	{"review.pass", "审核通过"},
	{"review.return", "审核退回"},
	{"review.withdraw", "撤回审核"},
	{"declare.nil", "零申报"},
	{"declare.exempt", "免报"},
	{"declare.end", "撤销零申报或免报"},
	{"proof.read", "下载证明文件"},
	{"certificate.make", "出具完成证明"},
	{"remind.policy", "修改催报安排"},
	{"remind.round", "按安排催报"},
	{"remind.send", "立即催报"},
	{"remind.stop", "停止催报"},
	{"remind.deliver", "发送站内催报"},
	{"remind.sent", "发出邮件或短信"},
	{"remind.copies", "抄送通知"},
	{"remind.read", "阅读催报"},
	{"remind.mail", "设置接收邮件的邮箱"},
	{"mail.receive", "收到填报邮件"},
	{"mail.judge", "处理填报邮件"},
	{"mail.reply", "回复填报邮件"},
	{"mail.read", "查看填报邮件"},
	{"mail.bind", "绑定发件邮箱"},
	{"mail.unbind", "解除发件邮箱的绑定"},
	{"mail.replay", "重新处理填报邮件"},
	{"mail.drop", "丢弃填报邮件"},
	{"mail.expire", "丢弃逾期未认领的邮件"},
	{"campaign.keep", "保留为人员登记"},
	{"campaign.prefill", "设定采集的预填来源"},
	{"change.make", "报人员变更"},
	{"change.accept", "核准人员变更"},
	{"change.return", "退回人员变更"},
	{"change.withdraw", "撤回人员变更"},
	{"people.confirm", "确认上一次采集的人员"},
	{"people.read", "查看在任人员和人员经历"},
	{"campaign.recount", "重新计算填报情况"},
	{"form.draft", "建立表样草稿"},
	{"form.edit", "修改表样草稿"},
	{"form.drop", "删去表样草稿"},
	{"form.publish", "发布表样"},
	{"export", "导出"},
	{"annotate", "生成批注副本"},
	{"erase", "清除个人信息"},
	{"erase.person", "清除一个人的信息"},
	{"erase.count", "查找要清除的人"},
	{"retention.set", "设定保存期限"},
	{"purpose.publish", "发布告知书"},
	{"purpose.agree", "同意告知书"},
	{"notice.draft", "起草通知"},
	{"notice.publish", "发布通知"},
	{"notice.amend", "修改已发布的通知"},
	{"notice.attach", "添加通知的附件"},
	{"notice.detach", "删去通知的附件"},
	{"notice.withdraw", "撤回通知"},
	{"notice.read", "阅读通知"},
	{"question.ask", "提问"},
	{"question.answer", "答复单位的提问"},
	{"question.publish", "公开答复"},
	{"keys.rotate", "轮换加密密钥"},
	{"keys.reseal", "用新密钥重新加密已存内容"},
	{"keys.retire", "停用旧密钥"},
	{"database.backup", "备份数据库"},
	{"database.restore", "从备份恢复数据库"},
	{"register.import", "导入单位登记表"},
	{"unit.create", "新设单位"},
	{"unit.edit", "变更单位登记"},
	{"unit.move", "划转单位"},
	{"unit.merge", "并入单位"},
	{"unit.split", "分设单位"},
	{"unit.close", "撤销单位"},
	{"request.make", "申请更正登记"},
	{"request.accept", "采纳更正申请"},
	{"request.refuse", "不采纳更正申请"},
	{"map.put", "上传地图"},
	{"map.drop", "删除地图"},
	{"region.set", "变更区划"},
	{"trail.read", "查看审计记录"},
	{"trail.verify", "校验审计记录"},
	{"trail.export", "导出审计记录"},
	{"trail.archive", "归档审计记录"},
}

// Title returns the event's name in the users' words, or the event as it is.
func Title(what string) string {
	for _, k := range kinds {
		if k.what == what {
			return k.title
		}
	}
	return what
}

// Known reports whether the event is one that the trail lists.
func Known(what string) bool {
	return slices.ContainsFunc(kinds[:], func(k struct{ what, title string }) bool { return k.what == what })
}

// Kinds returns the events in the order in which pages list them.
func Kinds() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.what
	}
	return out
}
