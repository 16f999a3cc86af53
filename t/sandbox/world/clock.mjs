/*
 * clock.mjs - the sandbox's own time, and what is due when.
 *
 * It runs with the machine's clock plus an offset that only grows. Jobs are
 * rows of the store, so they outlive a restart.
 */

const LONGEST_TIMER = 2 ** 31 - 1; /* setTimeout fires at once above this */

export class Clock {
  #jobs;
  #settings;
  #kinds = new Map();
  #queue = []; /* entries, the next one last */
  #timer = null;

  constructor(store) {
    this.#jobs = store.table('job');
    this.#settings = store.table('setting');
  }

  get #offset() {
    return this.#settings.get('clock')?.offset_ms ?? 0;
  }

  nowMs() {
    return Date.now() + this.#offset;
  }

  /** Whole seconds since 1970, as the provider counts. */
  now() {
    return Math.floor(this.nowMs() / 1000);
  }

  /** What to do for jobs of this kind. */
  on(kind, run) {
    this.#kinds.set(kind, run);
  }

  at(atMs, kind, args) {
    const id = this.#jobs.nextId('job_');
    this.#enqueue(this.#jobs.insert({ id, created: this.now(), at: atMs, kind, args }));
    this.#arm();
  }

  /** Take up the jobs that an earlier run left. */
  resume() {
    for (const entry of this.#jobs.all()) {
      this.#enqueue(entry);
    }
    this.#arm();
  }

  advance(seconds) {
    const offset = this.#offset + Math.round(seconds * 1000);
    this.#settings.put({ id: 'clock', offset_ms: offset });
    this.runDue();
  }

  /** Run what is due; what a job adds for the past or present runs as well. */
  runDue() {
    while (this.#queue.length > 0 && this.#queue.at(-1).object.at <= this.nowMs()) {
      const { object: job } = this.#queue.pop();
      this.#jobs.remove(job.id);
      this.#kinds.get(job.kind)?.(job.args);
    }
    this.#arm();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #enqueue(entry) {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle].object.at > entry.object.at) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    this.#queue.splice(low, 0, entry);
  }

  #arm() {
    clearTimeout(this.#timer);
    if (this.#queue.length === 0) {
      return;
    }
    const wait = Math.max(0, this.#queue.at(-1).object.at - this.nowMs());
    this.#timer = setTimeout(() => this.runDue(), Math.min(wait, LONGEST_TIMER));
    this.#timer.unref();
  }
}
