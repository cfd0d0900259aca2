package house

// remindWords are Chinese texts of internal/remind that stay as they are: reminders go to
// units, which read Chinese.
var remindWords = map[string]string{
	"单位":      "a field of reminders",
	"截止时间":    "a field of reminders",
	"状态":      "a field of reminders",
	"经办电话":    "a field of reminders",
	"另行通知":    "stands in a reminder",
	"上级财政部门":  "stands in a reminder",
	"至":       "between two dates",
	"到":       "between two dates",
	"{0}至{1}": "a range of dates as it is typed",
	"{单位}：采集的填报时间到{截止时间}为止，贵单位目前为“{状态}”，请按时填报并上报。如有疑问请联系 {经办电话}。": "the text that reminders begin with",
}
