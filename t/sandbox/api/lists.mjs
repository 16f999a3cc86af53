/*
 * lists.mjs - pages of a table, the newest first.
 */

import { badParam, missing } from '../http/errors.mjs';
import { list } from '../objects/parts.mjs';

/**
 * One page.
 *
 * @param by         [index, value] where an index narrows the search
 * @param fits       further condition on an object
 * @param fitsEntry  the same on an entry, where that spares building the object
 */
export function listPage(table, params, { url, by = [], fits, fitsEntry,
  created = params.created }) {
  const { starting_after: after, ending_before: before, limit = 10 } = params;
  if (after && before) {
    throw badParam('Received both ending_before and starting_after parameters. Please pass only one.',
      undefined, 'ending_before');
  }
  const { data, more } = table.page({
    created,
    limit,
    older: cursor(table, after, 'starting_after'),
    newer: cursor(table, before, 'ending_before'),
    fits: fitsEntry ?? (fits && ((entry) => fits(table.read(entry), entry))),
  }, ...by);
  return list(url, data, more);
}

function cursor(table, id, param) {
  if (!id) {
    return undefined;
  }
  if (!table.has(id)) {
    throw missing(table.kind, id, param);
  }
  return table.entry(id);
}

/** The first filter that has an index, and the others as a condition. */
export function narrow(filters) {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  const [first, ...rest] = given;
  return {
    by: first ?? [],
    fits: rest.length ? (object) => rest.every(([name, value]) => object[name] === value) : undefined,
  };
}

/** The entry of this id, or 404. */
export function find(table, id, noun, param) {
  const entry = table.entry(id);
  if (!entry) {
    throw missing(noun, id, param);
  }
  return entry;
}
