/*
 * shelf.mjs - entries in the order of their creation, found by halving.
 *
 * Usually the newest comes last and is just put there. Entries from the past
 * (bulk payments) are sorted in once, when somebody looks.
 */

function before(a, b) {
  return a.created - b.created || a.seq - b.seq;
}

export class Shelf {
  #entries = [];
  #sorted = true;

  add(entry) {
    const last = this.#entries.at(-1);
    this.#sorted &&= !last || before(last, entry) < 0;
    this.#entries.push(entry);
  }

  remove(entry) {
    const place = this.#entries.indexOf(entry);
    if (place >= 0) {
      this.#entries.splice(place, 1);
    }
  }

  get size() {
    return this.#entries.length;
  }

  /** All entries, the oldest first. Not to be changed. */
  get entries() {
    if (!this.#sorted) {
      this.#entries.sort(before);
      this.#sorted = true;
    }
    return this.#entries;
  }

  /** How many entries lie before the first that is not `earlier`. */
  #count(earlier) {
    const entries = this.entries;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (earlier(entries[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** [first, end) of what was created in this range of seconds. */
  #span({ gt, gte, lt, lte } = {}) {
    const first = Math.max(
      gte === undefined ? 0 : this.#count((e) => e.created < gte),
      gt === undefined ? 0 : this.#count((e) => e.created <= gt));
    const end = Math.min(
      lt === undefined ? this.size : this.#count((e) => e.created < lt),
      lte === undefined ? this.size : this.#count((e) => e.created <= lte));
    return [first, end];
  }

  /**
   * One page, the newest first.
   *
   * @param older  only what comes after this entry in a list (an older one)
   * @param newer  only what comes before it
   * @param fits   further condition on an entry
   */
  page({ created, older, newer, limit, fits = () => true }) {
    let [first, end] = this.#span(created);
    if (older) {
      end = Math.min(end, this.#count((e) => before(e, older) < 0));
    }
    if (newer) {
      first = Math.max(first, this.#count((e) => before(e, newer) <= 0));
      return this.#climb(first, end, limit, fits);
    }
    const found = [];
    for (let i = end - 1; i >= first && found.length <= limit; i--) {
      if (fits(this.#entries[i])) {
        found.push(this.#entries[i]);
      }
    }
    return cut(found, limit);
  }

  /** The page next to a newer cursor: picked upwards, shown downwards. */
  #climb(first, end, limit, fits) {
    const found = [];
    for (let i = first; i < end && found.length <= limit; i++) {
      if (fits(this.#entries[i])) {
        found.push(this.#entries[i]);
      }
    }
    const page = cut(found, limit);
    page.entries.reverse();
    return page;
  }
}

function cut(found, limit) {
  return { entries: found.slice(0, limit), more: found.length > limit };
}
