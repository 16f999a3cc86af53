/*
 * journal.mjs - the state on disk: one JSON line for each change, the last one wins.
 */

import fs from 'node:fs';
import path from 'node:path';

export class Journal {
  #file;
  #fd = null;

  constructor(directory) {
    fs.mkdirSync(directory, { recursive: true });
    this.#file = path.join(directory, 'journal.jsonl');
  }

  /** A last line cut by a crash is left out: its answer was never sent. */
  *read() {
    if (!fs.existsSync(this.#file)) {
      return;
    }
    for (const line of fs.readFileSync(this.#file, 'utf8').split('\n')) {
      if (line === '') {
        continue;
      }
      let parsed;
      try {
        parsed = JSON.parse(line);
      } catch {
        continue;
      }
      yield parsed;
    }
  }

  write(lines) {
    this.#fd ??= fs.openSync(this.#file, 'a', 0o600);
    fs.writeSync(this.#fd, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /** Replace the file by these lines, all or nothing. */
  rewrite(lines) {
    this.close();
    const fresh = `${this.#file}.new`;
    const fd = fs.openSync(fresh, 'w', 0o600);
    for (const line of lines) {
      fs.writeSync(fd, `${JSON.stringify(line)}\n`);
    }
    fs.closeSync(fd);
    fs.renameSync(fresh, this.#file);
  }

  close() {
    if (this.#fd !== null) {
      fs.closeSync(this.#fd);
      this.#fd = null;
    }
  }
}
