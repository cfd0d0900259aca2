package client_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tianbao/client"
)

func Example() {
	ctx := context.Background()
	c := &client.Client{URL: site.URL, Token: site.Token}
	for col, err := range c.Collections(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(col.ID, col.Title, col.Phase)
	}
	// Output:
	// 1001 预算管理一体化预算单位用户及资产管理角色信息采集表 open
	// 1002 值班联系人登记表 open
}

// The units whose report is awaited.
func ExampleClient_Progress() {
	c := &client.Client{URL: site.URL, Token: site.Token}
	units, begun := 0, 0
	for u, err := range c.Progress(context.Background(), "1001") {
		if err != nil {
			fmt.Println(err)
			return
		}
		units++
		if u.Rows > 0 {
			begun++
			fmt.Println(u.BudgetCode, u.Name, u.StateName, u.Done)
		}
	}
	fmt.Println(begun, "of", units)
	// Output:
	// 501001001 锦州市第一示范小学 已提交 false
	// 501001002 锦州市第二示范小学 已提交 false
	// 501001003 锦州市第三示范小学 有错 false
	// 501001004 锦州市第一示范中学 已提交 false
	// 501001005 锦州市第二示范中学 有错 false
	// 501001006 锦州市示范幼儿园 有错 false
	// 6 of 78
}

// Ids and phones are masked, unless one asks for ClearRows with a token that may.
func ExampleClient_Rows() {
	c := &client.Client{URL: site.URL, Token: site.Token}
	for row, err := range c.Rows(context.Background(), "1001", "") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.OwnerName, row.Values["person_id"], row.Values["phone"])
		break
	}
	// Output:
	// 锦州市教育局 210702********9000 160****1900
}

// A receiver of webhooks that was away asks for what it missed from the cursor that it
// stored last, and reads the reports that changed.
func ExampleClient_Events() {
	ctx := context.Background()
	c := &client.Client{URL: site.URL, Token: site.Token}
	cursor := "" // stored
	for e, err := range c.Events(ctx, cursor) {
		if err != nil {
			fmt.Println(err)
			return
		}
		cursor = e.Cursor
		rows := 0
		for _, err := range c.Rows(ctx, e.Collection, e.Report) {
			if err != nil {
				fmt.Println(err)
				return
			}
			rows++
		}
		fmt.Println(e.Type, e.BudgetCode, rows)
	}
	fmt.Println("go on behind", cursor)
	// Output:
	// report.submitted 501001 6
	// go on behind 1
}

func ExampleVerifyWebhook() {
	header := http.Header{
		"Webhook-Id": {"77"}, "Webhook-Timestamp": {"1700000000"}, "Webhook-Signature": {"v1,26CIgZ9FtR6T6QSAmL6mzMODcqj1SY19OKstXDIb3MI="},
	}
	e, err := client.VerifyWebhook("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", header, []byte(`{"id":"77"}`), time.Unix(1700000060, 0))
	fmt.Println(e.ID, err)
	_, err = client.VerifyWebhook("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", header, []byte(`{"id":"78"}`), time.Unix(1700000060, 0))
	fmt.Println(err)
	// Output:
	// 77 <nil>
	// tianbao: the webhook is not signed with the secret
}
