package ident

import "strings"

// Region is a part of the province that reports, as fact: what the Ministry of
// Civil Affairs lists (GB/T 2260), and the zone that it does not list.
type Region struct {
	Code    string // GB/T 2260; empty for a region without one
	Name    string
	Parent  string // the code of the region above; empty for the province
	InScope bool   // false for Dalian in a provincial round
}

// Liaoning is the GB/T 2260 code of the province.
const Liaoning = "210000"

// Regions returns the province, its 14 cities and 100 counties by code, each
// after the one above it, and last the 沈抚改革创新示范区: the zone has a finance
// bureau of its own in the notice, but no national code, as its land lies between
// Shenyang and Fushun. The statistics office's xxxx01 (市辖区) are no regions.
//
// Dalian is planned separately by the state (计划单列市), and the notice says
// 各市（不含大连）; its regions are listed, and out of scope.
func Regions() []Region {
	lines := strings.Split(strings.TrimSpace(regions), "\n")
	rs := make([]Region, 0, len(lines)+1)
	for _, line := range lines {
		code, name, _ := strings.Cut(line, " ")
		r := Region{Code: code, Name: name, InScope: code[:4] != "2102"}
		switch {
		case code == Liaoning:
		case code[4:] == "00":
			r.Parent = Liaoning
		default:
			r.Parent = code[:4] + "00"
		}
		rs = append(rs, r)
	}
	return append(rs, Region{Name: "沈抚改革创新示范区", Parent: Liaoning, InScope: true})
}

// regions is GB/T 2260 for Liaoning as of the end of 2024.
const regions = `
210000 辽宁省
210100 沈阳市
210102 和平区
210103 沈河区
210104 大东区
210105 皇姑区
210106 铁西区
210111 苏家屯区
210112 浑南区
210113 沈北新区
210114 于洪区
210115 辽中区
210123 康平县
210124 法库县
210181 新民市
210200 大连市
210202 中山区
210203 西岗区
210204 沙河口区
210211 甘井子区
210212 旅顺口区
210213 金州区
210214 普兰店区
210224 长海县
210281 瓦房店市
210283 庄河市
210300 鞍山市
210302 铁东区
210303 铁西区
210304 立山区
210311 千山区
210321 台安县
210323 岫岩满族自治县
210381 海城市
210400 抚顺市
210402 新抚区
210403 东洲区
210404 望花区
210411 顺城区
210421 抚顺县
210422 新宾满族自治县
210423 清原满族自治县
210500 本溪市
210502 平山区
210503 溪湖区
210504 明山区
210505 南芬区
210521 本溪满族自治县
210522 桓仁满族自治县
210600 丹东市
210602 元宝区
210603 振兴区
210604 振安区
210624 宽甸满族自治县
210681 东港市
210682 凤城市
210700 锦州市
210702 古塔区
210703 凌河区
210711 太和区
210726 黑山县
210727 义县
210781 凌海市
210782 北镇市
210800 营口市
210802 站前区
210803 西市区
210804 鲅鱼圈区
210811 老边区
210881 盖州市
210882 大石桥市
210900 阜新市
210902 海州区
210903 新邱区
210904 太平区
210905 清河门区
210911 细河区
210921 阜新蒙古族自治县
210922 彰武县
211000 辽阳市
211002 白塔区
211003 文圣区
211004 宏伟区
211005 弓长岭区
211011 太子河区
211021 辽阳县
211081 灯塔市
211100 盘锦市
211102 双台子区
211103 兴隆台区
211104 大洼区
211122 盘山县
211200 铁岭市
211202 银州区
211204 清河区
211221 铁岭县
211223 西丰县
211224 昌图县
211281 调兵山市
211282 开原市
211300 朝阳市
211302 双塔区
211303 龙城区
211321 朝阳县
211322 建平县
211324 喀喇沁左翼蒙古族自治县
211381 北票市
211382 凌源市
211400 葫芦岛市
211402 连山区
211403 龙港区
211404 南票区
211421 绥中县
211422 建昌县
211481 兴城市
`
