"""Writes tables with openpyxl: reads {"jobs": [{"format": "xlsx" or "stream",
"file": "...", "rows": [[...]]}]} from standard input. Text stays text, also when it
looks like a formula."""
import json
import sys

import openpyxl
from openpyxl.cell import WriteOnlyCell


def cell(sheet, value):
    c = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        c.data_type = "s"
    return c


for job in json.load(sys.stdin)["jobs"]:
    stream = job["format"] == "stream"
    book = openpyxl.Workbook(write_only=stream)
    sheet = book.create_sheet("采集表") if stream else book.active
    for i, row in enumerate(job["rows"], 1):
        if stream:
            sheet.append([cell(sheet, v) for v in row])
            continue
        for k, value in enumerate(row, 1):
            c = sheet.cell(i, k, value)
            if isinstance(value, str):
                c.data_type = "s"
    book.save(job["file"])
