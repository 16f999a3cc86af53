/*
 * store.mjs - everything the sandbox remembers: tables of entries.
 *
 * An entry holds one object as the API shows it, and beside it `hidden`, what
 * the provider knows but does not show. Bulk entries are built when first
 * looked at: a hundred thousand payments cost next to nothing until read.
 */

import { Shelf } from './shelf.mjs';

export class Store {
  #tables = new Map();
  #journal;
  #dirty = new Map();
  #flushing = false;
  seq = 0;

  /** @param journal  see journal.mjs; null keeps all in memory only */
  constructor(journal = null) {
    this.#journal = journal;
  }

  /** The table of this kind; `indexes` maps names to functions of an object. */
  table(kind, indexes = {}) {
    if (!this.#tables.has(kind)) {
      this.#tables.set(kind, new Table(this, kind, indexes));
    }
    return this.#tables.get(kind);
  }

  tables() {
    return [...this.#tables.values()];
  }

  /** Called by tables: this entry differs from what is on disk. */
  touch(table, id) {
    if (!this.#journal) {
      return;
    }
    this.#dirty.set(`${table.kind} ${id}`, [table, id]);
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.flush());
    }
  }

  /** Write down a whole batch by how it was made. */
  noteBatch(batch) {
    this.#journal?.write([{ batch }]);
  }

  /** Before an answer leaves, what it says is on disk. */
  flush() {
    this.#flushing = false;
    if (this.#dirty.size === 0) {
      return;
    }
    const lines = [...this.#dirty.values()].map(([table, id]) => table.line(id));
    this.#dirty.clear();
    this.#journal.write(lines);
  }

  /** Read the journal back; `makeBatch` repeats a bulk insertion. */
  load(makeBatch) {
    for (const line of this.#journal?.read() ?? []) {
      if (line.batch) {
        makeBatch(line.batch);
      } else {
        this.table(line.kind).restore(line);
      }
    }
  }

  /** What a fresh journal has to hold. */
  *lines(batches) {
    for (const batch of batches) {
      yield { batch };
    }
    for (const table of this.tables()) {
      yield* table.lines();
    }
  }

  compact(batches) {
    this.#dirty.clear();
    this.#journal?.rewrite(this.lines(batches));
  }
}

/** A shelf with this entry, or none. */
function shelfOf(entry) {
  const shelf = new Shelf();
  if (entry) {
    shelf.add(entry);
  }
  return shelf;
}

class Table {
  #store;
  #entries = new Map();
  #shelf = new Shelf();
  #indexes;
  #gone = new Set(); /* bulk entries that were removed */

  constructor(store, kind, indexes) {
    this.#store = store;
    this.kind = kind;
    this.#indexes = Object.entries(indexes).map(([name, key]) => (
      { name, key, shelves: new Map() }));
  }

  nextId(prefix) {
    return prefix + (this.#store.seq + 1);
  }

  insert(object, hidden = {}) {
    const entry = { id: object.id, seq: ++this.#store.seq, created: object.created ?? 0, object,
      hidden, keys: {} };
    this.#place(entry);
    this.#store.touch(this, entry.id);
    return entry;
  }

  /** Insert or replace a row that has no history (settings, marks). */
  put(object) {
    const entry = this.#entries.get(object.id);
    if (!entry) {
      return this.insert(object);
    }
    entry.object = object;
    this.changed(entry);
    return entry;
  }

  /** An entry that is built when needed; `keys` are its values in the indexes. */
  insertLazy(id, created, build, keys = {}, hidden = {}) {
    this.#place({ id, seq: ++this.#store.seq, created, object: null, build, hidden, keys: {} },
      keys);
  }

  #place(entry, keys) {
    this.#entries.set(entry.id, entry);
    this.#shelf.add(entry);
    for (const index of this.#indexes) {
      this.#file(index, entry, keys ? keys[index.name] : index.key(entry.object));
    }
  }

  #file(index, entry, value) {
    const old = entry.keys[index.name];
    if (old === value) {
      return;
    }
    this.#unfile(index, entry);
    if (value === undefined || value === null) {
      return;
    }
    entry.keys[index.name] = value;
    const there = index.shelves.get(value);
    if (!there) {
      index.shelves.set(value, entry); /* most values stand for one entry only */
      return;
    }
    if (!(there instanceof Shelf)) {
      index.shelves.set(value, shelfOf(there));
    }
    index.shelves.get(value).add(entry);
  }

  #unfile(index, entry) {
    const value = entry.keys[index.name];
    const there = index.shelves.get(value);
    delete entry.keys[index.name];
    if (there === entry) {
      index.shelves.delete(value);
    } else {
      there?.remove(entry);
    }
  }

  /** Say so after changing an entry's object or hidden part. */
  changed(entry) {
    for (const index of this.#indexes) {
      this.#file(index, entry, index.key(entry.object));
    }
    this.#store.touch(this, entry.id);
  }

  remove(id) {
    const entry = this.#entries.get(id);
    if (!entry) {
      return;
    }
    this.#entries.delete(id);
    this.#shelf.remove(entry);
    for (const index of this.#indexes) {
      this.#unfile(index, entry);
    }
    if (entry.build) {
      this.#gone.add(id);
    }
    this.#store.touch(this, id);
  }

  /** The entry, ready to be changed; undefined if there is none. */
  entry(id) {
    const entry = this.#entries.get(id);
    if (entry && !entry.object) {
      entry.object = entry.build();
    }
    return entry;
  }

  get(id) {
    return this.entry(id)?.object;
  }

  /** To look at, not to change; undefined if there is none. */
  peek(id) {
    const entry = this.#entries.get(id);
    return entry && this.read(entry);
  }

  has(id) {
    return this.#entries.has(id);
  }

  get size() {
    return this.#shelf.size;
  }

  /** To look at, not to change: a bulk object is not kept for this. */
  read(entry) {
    return entry.object ?? entry.build();
  }

  all() {
    return [...this.#shelf.entries];
  }

  /** What an index holds under this value, the oldest first. */
  where(name, value) {
    return this.shelf(name, value).entries.map((entry) => this.entry(entry.id));
  }

  /** Where to page: the whole table, or one value of an index. */
  shelf(name, value) {
    if (!name) {
      return this.#shelf;
    }
    const there = this.#indexes.find((index) => index.name === name).shelves.get(value);
    return there instanceof Shelf ? there : shelfOf(there);
  }

  page(ask, name, value) {
    const { entries, more } = this.shelf(name, value).page(ask);
    return { data: entries.map((entry) => this.read(entry)), more };
  }

  line(id) {
    const entry = this.#entries.get(id);
    return entry
      ? { kind: this.kind, seq: entry.seq, object: entry.object, hidden: entry.hidden }
      : { kind: this.kind, gone: id };
  }

  *lines() {
    for (const id of this.#gone) {
      yield { kind: this.kind, gone: id };
    }
    for (const entry of this.#entries.values()) {
      if (entry.object) {
        yield this.line(entry.id);
      }
    }
  }

  restore({ seq, object, hidden, gone }) {
    const id = gone ?? object.id;
    const old = this.#entries.get(id);
    if (old && object) {
      Object.assign(old, { object, hidden });
      this.changed(old);
      return;
    }
    if (gone) {
      this.remove(id);
      return;
    }
    this.#store.seq = Math.max(this.#store.seq, seq);
    this.#place({ id, seq, created: object.created ?? 0, object, hidden, keys: {} });
  }
}
