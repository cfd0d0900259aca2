import { parseHtml, parseText, writeHtml, writeText } from "./clipboard";
import { Grid } from "./grid";
import { t } from "./words";

/** Puts the selected cells on the clipboard, as text and as a table of text cells. */
export function copyTo(data: DataTransfer, grid: Grid, cut: boolean): void {
  if (grid.away(grid.rect.top, grid.rect.bottom)) return;
  const cells = grid.copy();
  data.setData("text/plain", writeText(cells));
  data.setData("text/html", writeHtml(cells));
  if (cut) grid.clear(t("剪切"));
  else grid.announce(t("已复制 {0} 行 {1} 列", cells.length, cells[0].length));
}

/** Pastes the clipboard's text; its table only when there is no text. */
export function pasteFrom(data: DataTransfer, grid: Grid): void {
  const text = data.getData("text/plain");
  const html = text ? "" : data.getData("text/html");
  if (text) grid.paste(parseText(text));
  else if (html) grid.paste(parseHtml(html));
}
