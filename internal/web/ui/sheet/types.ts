// The words of the sheet's public interface. Every value is a string: an id of 18
// digits or a code with leading zeros never passes through a number.

/** One column of the sheet. */
export interface Column {
  key: string;
  /** The letter above the header, "A", "B", … */
  letter: string;
  title: string;
  note?: string;
  required?: boolean;
  /** Width in px; columns grow together when the window is wider than their sum. */
  width: number;
  /** A drop-down column. Other values are kept; the server marks them. */
  choices?: string[];
  /** Looks for entries to fill the row from while a cell is typed in, the best first. */
  suggest?: (text: string) => Promise<Suggestion[]>;
  readonly?: boolean;
  /** Full-width digits and letters become half-width while typing. */
  narrow?: boolean;
  /** Long numbers are grouped while they are read; stored, copied and edited plain. */
  display?: "id18" | "credit" | "phone";
  /** Stays in sight while the sheet scrolls sideways, as far as the window has room. */
  frozen?: boolean;
}

/** Whether a list opens at cells of the column. */
export const isList = (c: Column): boolean => !!(c.choices || c.suggest);

/** An entry that a column suggests. */
export interface Suggestion {
  text: string;
  note?: string;
  /** The cells of the row that choosing it fills, by column key. */
  cells: Record<string, string>;
  /** Cells that it fills only where they are empty. */
  blanks?: Record<string, string>;
}

/** What a page adds to the row menu; `fault` is the severity of the cell's fault. */
export type MenuLines = (row: string, key: string, fault: Severity | null) => MenuItem[];

/** A line that the page adds to the row menu. */
export interface MenuItem {
  id: string;
  text: string;
}

/** One row: values by position of the columns. */
export interface Row {
  id: string;
  values: string[];
  version?: number;
}

export type Severity = "error" | "justify" | "hint";

/** A fault of one cell, or of a row as a whole (key ""). */
export interface Fault {
  row: string;
  key: string;
  severity: Severity;
  message: string;
  code: string;
  /** The value that was judged, when it is not the one of now. */
  seen?: string;
}

/** One step of a change set, as the server's change sets spell it. */
export type Change =
  | { op: "insert"; temp: string; after: string; afterTemp?: string; cells: Record<string, string> }
  | { op: "edit"; row: string; cells: Record<string, string> }
  | { op: "delete"; row: string };

/** Which values of a column are seen; both conditions hold when both are given. */
export interface Filter {
  /** Exact values; "" stands for blank cells. */
  values?: string[];
  /** Part of the text, upper or lower case. */
  contains?: string;
}

/** What is seen of the sheet. It never changes the stored order, nor changes(). */
export interface ViewSpec {
  sort?: { key: string; desc?: boolean };
  /** By column key; a row is seen when all of them let it through. */
  filters?: Record<string, Filter>;
  /** Only rows with an error or a fault that asks for a reason. */
  faulty?: boolean;
}

/** The view and what it makes of the sheet. */
export interface ViewState extends ViewSpec {
  /** Rows seen and rows in all. */
  shown: number;
  total: number;
  /** Faults to be dealt with, in the rows seen and in all. */
  faults: number;
  allFaults: number;
}

/** What others saved: the rows that changed and, when rows came or went, all ids in order. */
export interface Newer {
  rows: Row[];
  order?: string[];
  /** Who changed or deleted a row last, by its id. */
  by?: Record<string, string>;
  /** New rows of this sheet that were saved from elsewhere: their ids by their names here. */
  named?: Record<string, string>;
}

/** A cell, or with key "" a row, that others saved otherwise than it stands here. */
export interface Clash {
  row: string;
  key: string;
  kind: "edited" | "deleted" | "delete-edited";
  mine: string;
  theirs: string;
  by: string;
}

/** The active cell (r, c) and the opposite corner of the selection (r2, c2). */
export interface Selection {
  r: number;
  c: number;
  r2: number;
  c2: number;
}

/** A rectangle of cells, all four sides inclusive. */
export interface Rect {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export function rectOf(s: Selection): Rect {
  return {
    top: Math.min(s.r, s.r2),
    left: Math.min(s.c, s.c2),
    bottom: Math.max(s.r, s.r2),
    right: Math.max(s.c, s.c2),
  };
}
