package db

import (
	"context"
	"fmt"
	"time"
)

// Finding is what a check-up found, in words for the operator.
type Finding struct {
	// Bad: what is stored may be lost or wrong; else it is to be thought of.
	Bad  bool
	Text string
}

// maxFindings bounds what is told of one damaged file.
const maxFindings = 20

const (
	sqlInRecovery = `SELECT pg_is_in_recovery()`
	sqlBadIndexes = `SELECT COUNT(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace)`
	sqlChecksums  = `SELECT current_setting('data_checksums'), COALESCE((SELECT s.checksum_failures FROM pg_stat_database s WHERE s.datname = current_database()), 0)`
	sqlFrozenAge  = `SELECT CAST(age(d.datfrozenxid) AS BIGINT) FROM pg_database d WHERE d.datname = current_database()`
	sqlClock      = `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`
)

// frozenMost is an age of transaction numbers at which PostgreSQL's own clean-up has
// failed for long; at two thousand million the server stops taking changes.
const frozenMost = 1_200_000_000

// Checkup looks for damage: SQLite reads the whole file, with quick only what it needs to
// go through all pages; PostgreSQL is asked what it knows of itself.
func (d *DB) Checkup(ctx context.Context, quick bool) ([]Finding, error) {
	if d.kind == Postgres {
		return d.checkupPostgres(ctx)
	}
	sql := fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings)
	if quick {
		sql = fmt.Sprintf("PRAGMA quick_check(%d)", maxFindings)
	}
	var out []Finding
	err := d.Each(ctx, func(scan Scan) error {
		var line string
		err := scan(&line)
		if err == nil && line != "ok" {
			out = append(out, Finding{true, "数据库文件有损坏：" + line})
		}
		return err
	}, sql)
	return out, err
}

func (d *DB) checkupPostgres(ctx context.Context) (out []Finding, err error) {
	var standby bool
	var invalid, failures, age int64
	var checksums string
	for _, q := range []struct {
		sql  string
		dest []any
	}{
		{sqlInRecovery, []any{&standby}},
		{sqlBadIndexes, []any{&invalid}},
		{sqlChecksums, []any{&checksums, &failures}},
		{sqlFrozenAge, []any{&age}},
	} {
		if err := d.One(ctx, q.dest, q.sql); err != nil {
			return nil, err
		}
	}
	if standby {
		out = append(out, Finding{true, "这是备机，不能写入；请连接主机"})
	}
	if invalid > 0 {
		out = append(out, Finding{true, fmt.Sprintf("有 %d 个索引无效，请用 REINDEX 重建", invalid)})
	}
	if failures > 0 {
		out = append(out, Finding{true, fmt.Sprintf("有 %d 个数据页的校验和不对，请检查磁盘并恢复备份", failures)})
	}
	if checksums != "on" {
		out = append(out, Finding{false, "没有启用数据页校验和，磁盘悄悄出错时发现不了；可以停机后用 pg_checksums --enable 启用"})
	}
	if age > frozenMost {
		out = append(out, Finding{true, "事务编号快用完了，请检查 autovacuum 并执行 VACUUM"})
	}
	return out, nil
}

// Clock returns the time of the database's own machine; false: it has none but ours.
func (d *DB) Clock(ctx context.Context) (time.Time, bool, error) {
	if d.kind == SQLite {
		return time.Time{}, false, nil
	}
	var ms int64
	err := d.One(ctx, []any{&ms}, sqlClock)
	return time.UnixMilli(ms), err == nil, err
}
