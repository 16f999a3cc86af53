/*
 * router.mjs - from method and path to the one row of the route table.
 */

export class Router {
  #rows = [];

  /** Rows are tried in the order given: fixed words before ":names". */
  add(rows) {
    for (const row of rows) {
      this.#rows.push({ ...row, ...compile(row.path) });
    }
    return this;
  }

  find(method, path) {
    for (const row of this.#rows) {
      const hit = row.method === method && row.pattern.exec(path);
      if (hit) {
        const names = row.names.map((name, i) => [name, decode(hit[i + 1])]);
        return { row, names: Object.fromEntries(names) };
      }
    }
    return null;
  }
}

function compile(path) {
  const names = [];
  const source = path.replace(/:(\w+)/g, (_, name) => {
    names.push(name);
    return '([^/]+)';
  });
  return { names, pattern: new RegExp(`^${source}/?$`) };
}

/** A path that is not valid UTF-8 names nothing; it must not end the server. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
