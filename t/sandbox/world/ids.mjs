/*
 * ids.mjs - identifiers that look like the provider's own.
 */

import { randomBytes } from 'node:crypto';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function randomText(length) {
  return [...randomBytes(length)].map((byte) => LETTERS[byte % 62]).join('');
}

const LENGTHS = { 'cs_test_': 58, 'cs_live_': 58, cus_: 14, prod_: 14, si_: 14, evt_: 24 };

/** newId('pi_') */
export function newId(prefix) {
  const lead = { 'cs_test_': 'a1', 'cs_live_': 'a1', pi_: '3', ch_: '3', evt_: '1' }[prefix] ?? '';
  return prefix + lead + randomText((LENGTHS[prefix] ?? 24) - lead.length);
}

/** The n-th id of a batch: the same one each time it is asked for. */
export function batchId(prefix, batch, n) {
  const number = n.toString(36).padStart(8, '0');
  return `${prefix}3${batch}${number}`;
}
