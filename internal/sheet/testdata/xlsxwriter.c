// Writes the rows of a tab-separated file as a workbook of the form's layout with
// libxlsxwriter, which keeps one row at a time (constant_memory). It is what our own
// writer is measured against: cc -O2 -o x xlsxwriter.c -lxlsxwriter; x rows.tsv out.xlsx
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { notes = 8, columns = 9, header = 1 + notes + 1, first = header + 1 };

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *in = fopen(argv[1], "r");
  if (!in) return 2;
  lxw_workbook_options options = {.constant_memory = LXW_TRUE};
  lxw_workbook *book = workbook_new_opt(argv[2], &options);
  lxw_worksheet *sheet = workbook_add_worksheet(book, "采集表");
  lxw_format *title = workbook_add_format(book);
  format_set_bold(title);
  format_set_font_size(title, 16);
  format_set_align(title, LXW_ALIGN_CENTER);
  lxw_format *note = workbook_add_format(book);
  format_set_text_wrap(note);
  lxw_format *head = workbook_add_format(book);
  format_set_bold(head);
  format_set_border(head, LXW_BORDER_THIN);
  lxw_format *text = workbook_add_format(book);
  format_set_num_format(text, "@");
  format_set_border(text, LXW_BORDER_THIN);
  lxw_format *seq = workbook_add_format(book);
  format_set_border(seq, LXW_BORDER_THIN);
  worksheet_set_column(sheet, 0, 0, 8, NULL);
  worksheet_set_column(sheet, 1, columns - 1, 20, text);
  worksheet_freeze_panes(sheet, first, 1);
  worksheet_merge_range(sheet, 0, 0, 0, columns - 1, "信息采集表", title);
  for (int i = 0; i < notes; i++) worksheet_merge_range(sheet, 1 + i, 0, 1 + i, columns - 1, "填写说明", note);
  for (int i = 0; i < columns; i++) worksheet_write_string(sheet, 1 + notes, i, "A", head);
  for (int i = 0; i < columns; i++) worksheet_write_string(sheet, header, i, "单位名称", head);
  const char *list[] = {"主管部门", "行政单位", "事业单位", NULL};
  lxw_data_validation choice = {.validate = LXW_VALIDATION_TYPE_LIST, .value_list = (const char **)list};
  worksheet_data_validation_range(sheet, first, 4, LXW_ROW_MAX - 1, 4, &choice);

  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  for (lxw_row_t row = first; (n = getline(&line, &room, in)) > 0; row++) {
    if (line[n - 1] == '\n') line[n - 1] = 0;
    char *cell = line;
    for (int col = 0; col < columns && cell; col++) {
      char *next = strchr(cell, '\t');
      if (next) *next++ = 0;
      if (col == 0) worksheet_write_number(sheet, row, 0, atoi(cell), seq);
      else worksheet_write_string(sheet, row, (lxw_col_t)col, cell, text);
      cell = next;
    }
  }
  free(line);
  fclose(in);
  return workbook_close(book) == LXW_NO_ERROR ? 0 : 1;
}
