package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tianbao/internal/clock"
)

const (
	// nightlyLook is how often the server looks whether today's backup is there.
	nightlyLook = 20 * time.Minute
	// nightlyHour is when it makes it, Beijing time: after the batches of the evening,
	// long before the first clerk.
	nightlyHour = 2
	nightlyName = "tianbao-20060102.bak"
)

// keepBackups makes a backup a day in a folder and keeps those of some days. What fails is
// logged, and tried again until it is there. The function it returns waits for the one in
// hand.
func (in *installation) keepBackups(ctx context.Context, dir string, days int, log *slog.Logger) func() {
	if dir == "" {
		return func() {}
	}
	return atOnceAndEvery(ctx, nightlyLook, func() {
		if err := in.nightly(ctx, dir, days, clock.System(), log); err != nil && ctx.Err() == nil {
			in.backupsFailed.Add(1)
			log.Error("the daily backup was not made", "err", err)
		}
	})
}

// nightly makes today's backup when it is time and there is none, then deletes those that
// are too old: never before there is a new one, and no file of another name.
func (in *installation) nightly(ctx context.Context, dir string, days int, now time.Time, log *slog.Logger) error {
	now = now.In(clock.Shanghai)
	path := filepath.Join(dir, now.Format(nightlyName))
	if _, err := os.Lstat(path); err == nil || now.Hour() < nightlyHour {
		return nil
	}
	b := &bare{in.db, in.keys.Ring(), in.store}
	sum, _, err := b.writeTo(ctx, path)
	if err != nil {
		return err
	}
	log.Info("backed up", "file", path, "rows", sum.Rows())
	if !in.timeIsOver() {
		return nil
	}
	old, err := backupsBefore(dir, now.AddDate(0, 0, -days))
	for _, name := range old {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
	}
	return err
}

// backupsBefore lists the daily backups of before a day.
func backupsBefore(dir string, day time.Time) ([]string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range all {
		made, err := time.ParseInLocation(nightlyName, f.Name(), clock.Shanghai)
		if err == nil && made.Before(day) && f.Type().IsRegular() {
			out = append(out, f.Name())
		}
	}
	return out, nil
}

// validateBackups says what is wrong with the flags.
func validateBackups(dir, data string, days int) error {
	if dir == "" {
		return nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("备份文件夹 %s 不存在或不是文件夹，请先建立", dir)
	}
	if days < 1 {
		return errors.New("--backup-keep 至少是 1 天")
	}
	if rel, err := filepath.Rel(data, dir); err == nil && !strings.HasPrefix(rel, "..") {
		return errors.New("备份文件夹不要放在数据目录里，最好在另一块磁盘上")
	}
	return nil
}
