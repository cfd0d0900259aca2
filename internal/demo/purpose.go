package demo

import (
	"context"
	"fmt"

	"tianbao"
)

// inform publishes the purpose notice of the demonstration, to which its accounts that
// fill in have agreed already.
func (w World) inform(ctx context.Context) error {
	n, err := w.Store.Purpose(ctx)
	if err != nil {
		return err
	}
	if n.Version == 0 {
		if n.Version, err = w.Store.PublishPurpose(ctx, purposeText, tianbao.Event{}); err != nil {
			return fmt.Errorf("demo: publish the purpose notice: %w", err)
		}
	}
	users, err := w.Auth.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !u.May(tianbao.PowerFill) {
			continue
		}
		if err := w.Store.AgreeToPurpose(ctx, n.Version, tianbao.Event{Actor: u.ID}); err != nil {
			return fmt.Errorf("demo: agree to the purpose notice: %w", err)
		}
	}
	return nil
}

// purposeText is the notice in Markdown. The authority and its number are invented.
const purposeText = `填报采集表之前，请先读完这份告知书。

## 一、谁收集

省财政厅（演示）收集，由厅资产管理处（演示）具体负责，电话 024-00000000。

## 二、为了什么

为资产管理业务并入预算管理一体化系统，给行政事业单位的资产管理人员建立实名账号、分配角色，并与原资产管理信息系统的用户核对。财政部门为履行法定职责收集，不用于其他目的。

## 三、收集哪些信息

- 资产管理人员的姓名、身份证号码、联系方式；
- 所在单位的预算编码、单位名称、组织机构代码、单位类型，以及原资产管理信息系统的用户名。

身份证号码是敏感个人信息：实名账号要靠它在全省范围内认定是不是同一个人，没有它就不能建立账号；一旦泄露，可能被人冒用身份。所以它和联系方式加密保存，平时遮盖显示，查看完整内容要写明用途并留下记录。

## 四、保存多久

保存到采集截止后 24 个月，期满清除。谁在什么时候填报、上报的记录按审计要求另行保存，其中不含身份证号码和联系方式。

## 五、提供给谁

只提供给本单位、上级主管部门和各级财政部门中有权限的人员。不对外提供，不公开，不向境外传输。

## 六、您的权利

您可以查阅、复制自己的信息；填错了可以随时更正、补充；保存期满、信息不再需要或者您撤回同意时，可以要求删除；对处理规则不清楚的，可以要求解释说明。请向本单位的填报人或上面的联系电话提出。

## 七、填报别人的信息

您填报的如果是同事的信息，请先让本人看到这份告知书，再填写。

## 八、有问题找谁

打上面的联系电话。对处理结果不满意的，可以向履行个人信息保护职责的部门投诉、举报。
`
