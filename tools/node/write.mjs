// Writes tables as other programs would: reads {"jobs": [{"program": "sheetjs" or
// "exceljs", "format": "...", "file": "...", "rows": [[...]]}]} from standard input.
// Numbers are written as numbers, all else as text.
import { readFileSync, writeFileSync } from "node:fs";
import XLSX from "xlsx";
import ExcelJS from "exceljs";

function sheetjs({ format, file, rows }) {
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), "采集表");
  const options = { type: "buffer", bookType: format, bookSST: true };
  writeFileSync(file, XLSX.write(book, options));
}

async function exceljs({ format, file, rows }) {
  const book = new ExcelJS.Workbook();
  const sheet = book.addWorksheet("采集表");
  for (const row of rows) sheet.addRow(row);
  if (format === "csv") await book.csv.writeFile(file);
  else await book.xlsx.writeFile(file, { useSharedStrings: format === "shared" });
}

for (const job of JSON.parse(readFileSync(0, "utf8")).jobs) {
  await (job.program === "sheetjs" ? sheetjs(job) : exceljs(job));
}
