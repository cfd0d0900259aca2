// Keeps what is not submitted: in this browser after each step, on the server when the
// clerk pauses. What is big is written less often.
import { Answer } from "./api";
import { Journal } from "./journal";
import { Draft, Work } from "./work";

const local = 200;
const remote = 2000;

export class Keeper {
  /** Where the newest state is kept. */
  here = false;
  there = false;
  journal: Journal | null = null;
  /** Nothing is kept: what was left behind is not restored yet, or another window keeps it. */
  off = true;
  private put = false;
  private timers = { here: 0, there: 0 };
  private slow = { here: 0, there: 0 };
  private writing: Promise<void> = Promise.resolve();

  constructor(private work: Work, private call: <T>(method: string, path: string, body?: unknown) => Promise<Answer<T>>, private changed: () => void) {
    const now = () => document.hidden && void this.write();
    document.addEventListener("visibilitychange", now);
    addEventListener("pagehide", now);
  }

  /** Something changed on the screen. */
  touch(): void {
    this.here = this.there = false;
    if (this.off) return;
    clearTimeout(this.timers.there);
    if (!this.timers.here) this.timers.here = window.setTimeout(() => void this.write(), Math.max(local, 10 * this.slow.here));
    this.timers.there = window.setTimeout(() => void this.send(), Math.max(remote, 10 * this.slow.there));
  }

  /** Writes the journal; one writing after the other, so that the last one stays. */
  write(): Promise<void> {
    clearTimeout(this.timers.here);
    this.timers.here = 0;
    return (this.writing = this.writing.then(async () => {
      if (!this.journal) return;
      const t = performance.now();
      const d = this.work.draft();
      this.here = true; // unless touched meanwhile
      await this.journal.write(d).catch(() => (this.here = false));
      this.slow.here = performance.now() - t;
      this.changed();
    }));
  }

  /** Sends the draft, or drops the one on the server when all is saved. */
  send(): Promise<void> {
    clearTimeout(this.timers.there);
    // Not beside a save: a draft that came after it would outlive it.
    return this.work.alone(async () => {
      if (this.off) return;
      const d = this.work.draft();
      if (!d && !this.put) return;
      const t = performance.now();
      this.there = true;
      const res = d ? await this.call("PUT", "/draft", d) : await this.call("DELETE", "/draft");
      if (res.data) this.put = !!d;
      else this.there = false;
      this.slow.there = performance.now() - t;
      this.changed();
    });
  }

  /** A save took the draft with it. */
  saved(): void {
    this.put = false;
  }

  /** What was left behind, the newest last; spent: it was saved from elsewhere meanwhile. */
  async found(): Promise<{ draft: Draft; spent: boolean }[]> {
    const mine = this.journal ? await this.journal.read().catch(() => null) : null;
    const { data } = await this.call<{ draft?: Draft; spent: boolean }>("GET", "/draft" + (mine ? "?name=" + mine.name : ""));
    const theirs = data && data.draft;
    this.put = !!theirs;
    const out = [];
    if (mine && !(theirs && holds(theirs, mine))) out.push({ draft: mine, spent: !!data && data.spent && !mine.sent });
    if (theirs && !(mine && out.length && holds(mine, theirs))) out.push({ draft: theirs, spent: false });
    return out.sort((a, b) => (a.draft.edited < b.draft.edited ? -1 : 1));
  }
}

/** Whether a draft holds all that another one does: a later state of it, or made on top of it. */
export function holds(a: Draft, b: Draft): boolean {
  const upTo = a.page === b.page && a.name === b.name ? a.edited : a.seen && b.page ? a.seen[b.page] : undefined;
  return upTo !== undefined && upTo >= b.edited;
}
