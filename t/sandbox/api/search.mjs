/*
 * search.mjs - the query language of /search: field:"value" field~"sub" field>1, negated or not.
 */

import { badParam } from '../http/errors.mjs';
import { integer, need, text } from './params.mjs';

const CLAUSE = /^(-?)([\w.]+)(?:\["((?:[^"\\]|\\.)*)"\])?(:|~|>=|<=|>|<)("(?:[^"\\]|\\.)*"|null|-?[\d.]+)/;

export const SEARCH = { query: need(text()), limit: integer({ min: 1, max: 100 }), page: text() };

/**
 * One page of search results.
 *
 * What changed less than `search_lag_s` ago is not found yet, as with the
 * provider, whose index follows the truth at a distance.
 */
export function search(world, table, params, { url, fields }) {
  const matches = parse(params.query, fields);
  const { limit = 10, page } = params;
  const { search_lag_s: lag = 1 } = world.settings.get('sandbox') ?? {};
  const from = page ? Number(Buffer.from(page, 'base64url').toString()) || 0 : 0;
  const horizon = world.clock.now() - lag;
  const found = table.page({ created: { lte: horizon }, limit: Infinity,
    fits: (entry) => matches(table.read(entry)) }).data;
  const data = found.slice(from, from + limit);
  const more = found.length > from + limit;
  return { object: 'search_result', url, has_more: more, data,
    next_page: more ? Buffer.from(String(from + limit)).toString('base64url') : null };
}

function parse(query, fields) {
  const clauses = [];
  let any = false;
  let rest = query.trim();
  while (rest !== '') {
    const hit = CLAUSE.exec(rest);
    if (!hit) {
      throw bad(query);
    }
    clauses.push(clause(hit, fields, query));
    rest = rest.slice(hit[0].length).trim();
    const joint = /^(AND|OR)\s+/i.exec(rest);
    any ||= joint?.[1].toUpperCase() === 'OR';
    rest = joint ? rest.slice(joint[0].length) : rest;
  }
  if (clauses.length === 0 || clauses.length > 10) {
    throw bad(query);
  }
  return (object) => (any ? clauses.some((one) => one(object)) : clauses.every((one) => one(object)));
}

const bad = (query) => badParam(`We were unable to parse your search query: ${query}`, undefined, 'query');

function clause([, minus, field, key, sign, raw], fields, query) {
  if (!fields.includes(field)) {
    throw badParam(`Field \`${field}\` is an unsupported search field for this resource.`,
      undefined, 'query');
  }
  const wanted = raw === 'null' ? null : raw.startsWith('"') ? unquote(raw) : raw;
  if (sign === '~' && wanted.length < 3) {
    throw bad(query);
  }
  const plain = (object) => compare(sign, valueOf(object, field, key), wanted);
  return minus ? (object) => !plain(object) : plain;
}

const unquote = (text) => text.slice(1, -1).replace(/\\(.)/g, '$1');

function valueOf(object, field, key) {
  const value = field.split('.').reduce((part, step) => part?.[step], object);
  return (key === undefined ? value : value?.[unquote(`"${key}"`)]) ?? null;
}

function compare(sign, value, wanted) {
  if (value === null || wanted === null) {
    return sign === ':' && value === wanted;
  }
  switch (sign) {
  case ':':
    return String(value) === String(wanted);
  case '~':
    return String(value).toLowerCase().includes(wanted.toLowerCase());
  case '>':
    return value > Number(wanted);
  case '<':
    return value < Number(wanted);
  case '>=':
    return value >= Number(wanted);
  default:
    return value <= Number(wanted);
  }
}
