package demo

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/web"
)

// notice is the notice of the collection with its two attachments: the blank form
// and the manual.
func (w World) notice() (tianbao.Notice, error) {
	var book bytes.Buffer
	f := w.Forms.Latest("asset-role")
	at := time.Date(2022, 9, 1, 9, 0, 0, 0, clock.Shanghai)
	if err := w.Workbooks.Write(&book, f, slices.Values([]tianbao.Row(nil)), at, 0, 0); err != nil {
		return tianbao.Notice{}, fmt.Errorf("demo: write the blank form: %w", err)
	}
	page, err := web.StandaloneManual("操作手册", w.Manual, w.Pictures)
	if err != nil {
		return tianbao.Notice{}, err
	}
	file := func(id tianbao.ID, name, typ string, data []byte) tianbao.Attachment {
		return tianbao.Attachment{ID: id, Name: name, Type: typ, Size: int64(len(data)), Data: data}
	}
	return tianbao.Notice{
		ID: noticeID, Title: "关于开展行政事业单位资产管理人员信息采集工作的通知", Issuer: "省财政厅（演示）", At: at, Body: noticeText, Owner: rootID,
		Attachments: []tianbao.Attachment{
			file(3001, "附件1 "+f.Title+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", book.Bytes()),
			file(3002, "附件2 操作手册.html", "text/html; charset=utf-8", page),
		},
	}, nil
}

// noticeText is the notice in short, in Markdown. Mail goes nowhere here.
const noticeText = `省直各单位，各市（不含大连）、沈抚示范区财政局：

为推进资产管理业务融入预算管理一体化，现就资产管理信息系统登录人员信息采集有关事项通知如下。

## 一、采集对象及信息内容

采集对象为全省各级行政事业单位负责资产管理信息系统操作的资产管理人员，实行实名制。采集内容包括单位预算编码、单位名称、组织机构代码、单位类型、原资产信息系统用户名、姓名、身份证号、电话。无预算编码、原系统无用户名的，相应栏目可以不填。

## 二、采集方式

1. **在线填报。** 登录后选择“报表管理”，点击“资产角色采集”文件夹下的采集表，在线填写。操作方法见附件 2。
2. **填报 EXCEL 表。** 没有条件在线填报的，按附件 1 填写，交上级主管部门或本级财政部门导入。

## 三、报送时间

省直行政事业单位于 9 月 23 日前、各市于 9 月 30 日前完成。演示中的截止时间从安装之日算起。

## 四、其他要求

各市财政部门可将采集的信息与原资产管理信息系统比对，确保信息准确、单位无遗漏。采集完成后人员有变化的，登录系统自行修改。
`
