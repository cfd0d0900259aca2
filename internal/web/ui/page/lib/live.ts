// What the server tells by itself: that somebody saved, and who else is on the sheet.

export interface LiveHost {
  version(n: number): void;
  people(names: string[], self: boolean): void;
  /** The session has ended, or the right to see the sheet. */
  end(): void;
  /** The stream broke; it is tried again by itself. */
  lost(): void;
  back(): void;
}

export class Live {
  private stream: EventSource | null = null;

  constructor(private url: string, private host: LiveHost) {
    addEventListener("pagehide", () => this.close());
  }

  open(): void {
    this.close();
    const s = (this.stream = new EventSource(this.url));
    s.onopen = () => this.host.back();
    s.onerror = () => {
      this.host.lost();
      // Refused: too many streams, or nobody is signed in, which other requests tell.
      if (s.readyState === EventSource.CLOSED) setTimeout(() => this.stream === s && this.open(), 15000);
    };
    const on = (name: string, fn: (data: { version: number; people: string[]; self: boolean }) => void) =>
      s.addEventListener(name, (e) => fn(JSON.parse((e as MessageEvent<string>).data)));
    on("version", (d) => this.host.version(d.version));
    on("people", (d) => this.host.people(d.people, d.self));
    on("end", () => {
      this.close();
      this.host.end();
    });
  }

  close(): void {
    if (this.stream) this.stream.close();
    this.stream = null;
  }
}
