package sheet

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"tianbao"
)

// PackageOptions says what a data package tells of itself.
type PackageOptions struct {
	Created time.Time // zero: not told, and the same rows give the same bytes
}

// The files of a data package.
const (
	packageData   = "data.csv"
	packageSchema = "schema.json"
	packageFile   = "datapackage.json"
)

// WriteDataPackage writes rows as a Data Package (specs.frictionlessdata.io): the
// rows as CSV in UTF-8 under the fields' machine names, the form's Table Schema as it
// was published, and the descriptor that joins them, last, since it tells size and
// SHA-256 of the data. create starts a file and ends the one before it; it is
// [archive/zip.Writer.Create] for a package in one file.
//
// The row number is left out: it is an order, and the rows are in it. So are the
// types of damaged cells: a program that reads the package checks by the schema.
func WriteDataPackage(create func(name string) (io.Writer, error), f *tianbao.Form, schema []byte, rows iter.Seq2[tianbao.Row, error], opt PackageOptions) error {
	start := func(name string) (io.Writer, error) {
		w, err := create(name)
		if err != nil {
			return nil, fmt.Errorf("sheet: data package: starting %s: %w", name, err)
		}
		return w, nil
	}
	put := func(name string, b []byte) error {
		w, err := start(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("sheet: data package: writing %s: %w", name, err)
		}
		return nil
	}
	w, err := start(packageData)
	if err != nil {
		return err
	}
	sum := sha256.New()
	size, err := writePackageRows(io.MultiWriter(w, sum), f, rows)
	if err != nil {
		return err
	}
	if err := put(packageSchema, schema); err != nil {
		return err
	}
	type resource struct {
		Name      string `json:"name"`
		Path      string `json:"path"`
		Profile   string `json:"profile"`
		Title     string `json:"title"`
		Format    string `json:"format"`
		MediaType string `json:"mediatype"`
		Encoding  string `json:"encoding"`
		Bytes     int64  `json:"bytes"`
		Hash      string `json:"hash"`
		Schema    string `json:"schema"`
	}
	descriptor := struct {
		Profile   string     `json:"profile"`
		Name      string     `json:"name"`
		Title     string     `json:"title"`
		Version   string     `json:"version"`
		Created   string     `json:"created,omitempty"`
		Resources []resource `json:"resources"`
	}{
		Profile: "tabular-data-package", Name: f.Name, Title: f.Title, Version: fmt.Sprintf("%d.0.0", f.Version),
		Resources: []resource{{
			Name: "data", Path: packageData, Profile: "tabular-data-resource", Title: f.Title,
			Format: "csv", MediaType: "text/csv", Encoding: "utf-8",
			Bytes: size, Hash: "sha256:" + hex.EncodeToString(sum.Sum(nil)), Schema: packageSchema,
		}},
	}
	if !opt.Created.IsZero() {
		descriptor.Created = opt.Created.UTC().Format(time.RFC3339)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&descriptor); err != nil {
		return fmt.Errorf("sheet: data package: %w", err)
	}
	return put(packageFile, b.Bytes())
}

// writePackageRows writes the CSV (RFC 4180) and returns its size.
func writePackageRows(w io.Writer, f *tianbao.Form, rows iter.Seq2[tianbao.Row, error]) (int64, error) {
	count := &countWriter{w: w}
	buf := bufio.NewWriterSize(count, 64<<10)
	c := csv.NewWriter(buf)
	c.UseCRLF = true
	line := make([]string, len(f.Fields))
	for i := range f.Fields {
		line[i] = f.Fields[i].Key
	}
	err := c.Write(line)
	for row, rerr := range rows {
		if rerr != nil {
			return 0, fmt.Errorf("sheet: rows to export: %w", rerr)
		}
		clear(line)
		copy(line, row.Values)
		if err = c.Write(line); err != nil {
			break
		}
	}
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		return 0, fmt.Errorf("sheet: data package: writing rows: %w", err)
	}
	return count.n, nil
}

type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
