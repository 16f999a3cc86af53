/*
 * money.mjs - what amounts the provider takes, and how a charge is named on a statement.
 */

import { badParam } from '../http/errors.mjs';

const MINIMUM = { usd: 50, aud: 50, brl: 50, cad: 50, chf: 50, eur: 50, inr: 50, nzd: 50,
  sgd: 50, gbp: 30, aed: 200, myr: 200, pln: 200, ron: 200, bgn: 100, czk: 1500, dkk: 250,
  hkd: 400, huf: 17500, jpy: 50, mxn: 1000, nok: 300, sek: 300, thb: 1000 };
const HUNDREDS = new Set(['ugx', 'isk']); /* sent x100 though they have no minor unit */
/** Is a whole unit of it 100 of what the API counts? */
export const isHundreds = (currency) => HUNDREDS.has(currency.toLowerCase());

const TENS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
const MAXIMUM = 99_999_999;

/** Refuse an amount that could not be charged; zero is the caller's business. */
export function checkAmount(amount, currency, param) {
  if (!/^[a-z]{3}$/.test(currency)) {
    throw badParam(`Invalid currency: ${currency}.`, undefined, 'currency');
  }
  if (amount < (MINIMUM[currency] ?? 1)) {
    throw badParam(`Amount must convert to at least ${MINIMUM[currency] ?? 1} ${currency}`,
      'amount_too_small', param);
  }
  if (amount > (currency === 'idr' ? 999_999_999_999 : MAXIMUM)) {
    throw badParam('Amount must be no more than $999,999.99', 'amount_too_large', param);
  }
  const step = HUNDREDS.has(currency) ? 100 : TENS.has(currency) ? 10 : 1;
  if (amount % step !== 0) {
    throw badParam(`Invalid amount: ${currency} amounts must be divisible by ${step}.`,
      'parameter_invalid_integer', param);
  }
}

/** Refuse a suffix that no card statement could carry. */
export function checkSuffix(prefix, suffix, param) {
  if (/[<>\\'"*]/.test(suffix) || !/[A-Za-z]/.test(suffix)
      || prefix.length + 2 + suffix.length > 22) {
    throw badParam(`The statement descriptor suffix ${JSON.stringify(suffix)} must contain a letter, `
      + `none of < > \\ ' " * and with its prefix at most 22 characters.`,
    'parameter_invalid_string_blank', param);
  }
}

/** "SHOP* SP1234ABCD" */
export function statementText(prefix, suffix) {
  return suffix ? `${prefix}* ${suffix}`.toUpperCase() : prefix;
}

/** The provider's own fee, so that net amounts are plausible: 2.9 % and 30. */
export const feeOf = (amount) => Math.round(amount * 0.029) + 30;
