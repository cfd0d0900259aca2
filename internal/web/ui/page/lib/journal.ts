// The journal of what is not submitted, in this browser. Each record is sealed with a
// key that the server hands out only to a session of the person who wrote it; it
// follows from the salt that lies here, so after a crash the same person, signed in
// again, opens the record, and nobody else at this machine does.
import { Answer } from "./api";
import { Draft } from "./work";

const store = "journal";
/** Records that nobody came back to are dropped after so many days. */
const life = 30 * 24 * 3600 * 1000;

interface Sealed {
  at: number;
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

const wait = <T>(r: IDBRequest<T>) =>
  new Promise<T>((ok, no) => {
    r.onsuccess = () => ok(r.result);
    r.onerror = () => no(r.error);
  });

const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

/** Opens the browser's database. */
export function openStore(): Promise<IDBDatabase> {
  const r = indexedDB.open("tianbao", 1);
  r.onupgradeneeded = () => r.result.createObjectStore(store);
  return wait(r);
}

/** Drops what a person left in this browser. */
export async function forget(db: IDBDatabase, owner: string): Promise<void> {
  await wait(db.transaction(store, "readwrite").objectStore(store).delete(IDBKeyRange.bound(owner + "/", owner + "0"))); // "0" follows "/"
}

export class Journal {
  private constructor(
    private db: IDBDatabase,
    private key: CryptoKey,
    private slot: string,
  ) {}

  /** Throws where the browser keeps nothing (private mode, a full disk). */
  static async open(report: string, ask: (salt: string) => Promise<Answer<{ key: string; owner: string }>>): Promise<Journal> {
    const db = await openStore();
    let salt = (await wait(db.transaction(store).objectStore(store).get("salt"))) as string | undefined;
    if (!salt) {
      salt = hex(crypto.getRandomValues(new Uint8Array(16)));
      await wait(db.transaction(store, "readwrite").objectStore(store).put(salt, "salt"));
    }
    const { data } = await ask(salt);
    if (!data) throw new Error("no journal key");
    const raw = new Uint8Array((data.key.match(/../g) as string[]).map((x) => parseInt(x, 16)));
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    const old = db.transaction(store, "readwrite").objectStore(store).openCursor();
    old.onsuccess = () => {
      const c = old.result;
      if (!c) return;
      if (c.value.at < Date.now() - life) c.delete();
      c.continue();
    };
    return new Journal(db, key, data.owner + "/" + report);
  }

  private cipher(iv: Uint8Array<ArrayBuffer>): AesGcmParams {
    return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(this.slot) };
  }

  async read(): Promise<Draft | null> {
    const s = (await wait(this.db.transaction(store).objectStore(store).get(this.slot))) as Sealed | undefined;
    if (!s) return null;
    try {
      return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(this.cipher(s.iv), this.key, s.data))) as Draft;
    } catch {
      return null; // changed, or of other keys: nothing to go on from
    }
  }

  /** Returns when it is on the disk. */
  async write(d: Draft | null): Promise<void> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = d && { at: Date.now(), iv, data: await crypto.subtle.encrypt(this.cipher(iv), this.key, new TextEncoder().encode(JSON.stringify(d))) };
    const tx = this.db.transaction(store, "readwrite", { durability: "strict" } as IDBTransactionOptions);
    const s = tx.objectStore(store);
    if (sealed) s.put(sealed, this.slot);
    else s.delete(this.slot);
    await new Promise((ok, no) => {
      tx.oncomplete = ok;
      tx.onabort = () => no(tx.error);
    });
  }
}
