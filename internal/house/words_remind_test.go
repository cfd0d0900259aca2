package house

// remindWords are Chinese texts of internal/remind that stay as they are: reminders go to
// units, which read Chinese.
var remindWords = map[string]string{
	"单位":                     "a field of reminders",
	"截止时间":                   "a field of reminders",
	"状态":                     "a field of reminders",
	"经办电话":                   "a field of reminders",
	"另行通知":                   "stands in a reminder",
	"上级财政部门":                 "stands in a reminder",
	"{0}发布通知：{1}\n\n{2}\n\n": "stands in the copy of a notice",
	"通知有 {0} 个附件，请登录填报系统，在“消息公告”里下载。\n":                   "stands in the copy of a notice",
	"{0}本邮件是通知的抄送，由系统发出，请不要回复。请登录填报系统打开这份通知，阅读情况以系统中的为准。": "stands in the copy of a notice",
	"至":       "between two dates",
	"到":       "between two dates",
	"{0}至{1}": "a range of dates as it is typed",
	"{单位}：采集的填报时间到{截止时间}为止，贵单位目前为“{状态}”，请按时填报并上报。如有疑问请联系 {经办电话}。": "the text that reminders begin with",
}
