/*
 * form.mjs - the nested form encoding of Stripe, read into plain objects.
 *
 * a[b][c]=v makes objects, a[]=v and a[0]=v make lists. Values stay strings:
 * what they mean is decided where the parameters of an operation are known.
 */

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** Read one form body or query string. */
export function readForm(text) {
  const root = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    put(root, splitName(name), value);
  }
  return tidy(root);
}

/** "a[b][0]" is ["a", "b", "0"]; "a[]" is ["a", ""]. */
function splitName(name) {
  const open = name.indexOf('[');
  if (open <= 0 || !name.endsWith(']')) {
    return [name];
  }
  return [name.slice(0, open), ...name.slice(open + 1, -1).split('][')];
}

function put(root, path, value) {
  if (path.some((step) => FORBIDDEN.has(step))) {
    return;
  }
  let place = root;
  for (let i = 0; i < path.length - 1; i++) {
    const key = keyIn(place, path[i]);
    if (typeof place[key] !== 'object' || place[key] === null) {
      place[key] = Object.create(null);
    }
    place = place[key];
  }
  place[keyIn(place, path[path.length - 1])] = value;
}

/** "[]" appends: it takes the next free number. */
function keyIn(place, step) {
  return step === '' ? String(Object.keys(place).length) : step;
}

/** Objects whose keys are all numbers were lists. */
function tidy(value) {
  if (typeof value !== 'object') {
    return value;
  }
  const keys = Object.keys(value);
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return keys.sort((a, b) => a - b).map((key) => tidy(value[key]));
  }
  return Object.fromEntries(keys.map((key) => [key, tidy(value[key])]));
}
