/*
 * parts.mjs - small pieces that several objects are made of.
 */

export const noAddress = () => ({
  city: null, country: null, line1: null, line2: null, postal_code: null, state: null });

export const list = (url, data = [], has_more = false) => ({ object: 'list', data, has_more, url });

export const addMonths = (seconds, months) => {
  const date = new Date(seconds * 1000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last)); /* 31 January and a month is the end of February */
  return date.getTime() / 1000;
};

/** The end of a period of `recurring` that starts at `start`. */
export function periodEnd(start, { interval, interval_count: count }) {
  switch (interval) {
  case 'day':
    return start + 86400 * count;
  case 'week':
    return start + 7 * 86400 * count;
  case 'month':
    return addMonths(start, count);
  default:
    return addMonths(start, 12 * count);
  }
}
