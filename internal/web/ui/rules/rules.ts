// The rules of a form, as the server describes them (check.Describe): a value is
// brought into normal form by steps, and its tests are tried in turn. No rule and no
// sentence stands here.

/** The description, as GET /forms/{form}/{version}/rules answers it. */
export interface Description {
  min_reason: number;
  fields: Field[];
  cross: CrossRule[];
  sets: Record<string, string>;
  sums: Record<string, { match: string; values: string; weights: number[]; checks: string }>;
  chars: { match: string; name: string }[];
}

interface Field {
  key: string;
  letter: string;
  steps: { match: string; to: string; move?: number; end?: boolean }[];
  tests: Test[];
}

type Test = { if: Atom[] | null; at?: string } & Partial<Verdict>;

interface Atom {
  of?: number;
  is?: string;
  not?: string;
  sum?: string;
  wrong?: string;
  born?: string;
}

/** What a cell has against it. */
export interface Verdict {
  code: string;
  severity: "error" | "justify" | "hint";
  message: string;
}

/** A rule between rows; fields are told by their places. */
export interface CrossRule extends Verdict {
  /** What rows have in common; of each the first that is filled and right. */
  same: number[][];
  differ: number[];
  /** The field that carries the verdict, -1: the row as a whole. */
  at: number;
}

export class Rules {
  private made = { u: new Map<string, RegExp>(), gu: new Map<string, RegExp>() };

  constructor(readonly form: Description) {}

  private re(text: string, flags: "u" | "gu" = "u"): RegExp {
    let re = this.made[flags].get(text);
    if (!re) {
      re = new RegExp(text.replace(/<([a-z]+)>/g, (_, name: string) => this.form.sets[name]), flags);
      this.made[flags].set(text, re);
    }
    return re;
  }

  /** The normal form of the text of a cell. */
  normal(c: number, text: string): string {
    for (const { match, to, move, end } of this.form.fields[c].steps) {
      const re = this.re(match, "gu");
      if (text.search(re) < 0) continue;
      text = move ? text.replace(re, (s) => String.fromCharCode(s.charCodeAt(0) + move)) : text.replace(re, to);
      if (end) break;
    }
    return text;
  }

  /** What the cells of a row in normal form have against them; `today` as YYYYMMDD. */
  row(values: readonly string[], today: string): (Verdict | null)[] {
    return this.form.fields.map((f, c) => {
      const v = values[c];
      const t = f.tests.find((x) => (x.if || []).every((a) => this.holds(a, a.of === undefined ? v : values[a.of], today)));
      return t && t.code ? ({ code: t.code, severity: t.severity, message: this.say(t, v) } as Verdict) : null;
    });
  }

  private holds(a: Atom, v: string, today: string): boolean {
    if (a.is) return this.re(a.is).test(v);
    if (a.not) return !this.re(a.not).test(v);
    if (a.sum) return this.fits(a.sum, v);
    if (a.wrong) return !this.fits(a.wrong, v);
    return v.slice(6, 14) > today === (a.born === "later");
  }

  private fits(name: string, v: string): boolean {
    return this.re(this.form.sums[name].match).test(v) && this.check(name, v) === v[v.length - 1];
  }

  /** The check character of a value. */
  private check(name: string, v: string): string {
    const { values, weights, checks } = this.form.sums[name];
    return checks[weights.reduce((n, w, i) => n + w * values.indexOf(v[i]), 0) % checks.length];
  }

  private say(t: Test, v: string): string {
    const it = ((t.at && this.re(t.at).exec(v)) || [""])[0];
    return (t.message || "").replace(/\{(n|i|it|char|check:(\d+))\}/g, (_, what: string, century: string) => {
      if (what === "n") return String(Array.from(v).length);
      if (what === "i") return String(Array.from(it).length + 1);
      if (what === "it") return it;
      if (century) return this.check("resident", v.slice(0, 6) + century + v.slice(6));
      return this.name(String.fromCodePoint(v.codePointAt(it.length) || 0));
    });
  }

  /** What a character is called: itself, or its code point where fonts may not have it. */
  private name(char: string): string {
    const found = this.form.chars.find((x) => this.re(x.match).test(char));
    const code = (char.codePointAt(0) || 0).toString(16).toUpperCase();
    return found ? found.name.replace("{}", () => char) : "U+" + code.padStart(4, "0");
  }
}

/** Today in Shanghai, where the trade counts its days. */
export function today(now: number): string {
  return new Date(now + 8 * 3600e3).toISOString().slice(0, 10).replace(/-/g, "");
}
