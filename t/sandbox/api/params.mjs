/*
 * params.mjs - what an operation takes: types, and refusals in the provider's words.
 *
 * A type is a function (value, path) => typed value. An operation lists its
 * parameters as an object of types; what it does not list is refused.
 */

import { badParam } from '../http/errors.mjs';

const spell = (path) => path.reduce((text, step) => (text ? `${text}[${step}]` : String(step)), '');

const invalid = (message, code, path) => badParam(message, code, spell(path));

/** Check all parameters of an operation. */
export function check(params, types) {
  return shape(types)(params, []);
}

export const any = (value) => value;

export function text(max = 5000) {
  return (value, path) => {
    if (typeof value !== 'string') {
      throw invalid(`Invalid string: ${JSON.stringify(value)}`, undefined, path);
    }
    if (value === '') {
      throw invalid(`You passed an empty string for '${spell(path)}'. We assume empty values are an `
        + `attempt to unset a parameter; however '${spell(path)}' cannot be unset. You should remove `
        + `'${spell(path)}' from your request or supply a non-empty value.`,
      'parameter_invalid_empty', path);
    }
    if ([...value].length > max) {
      throw invalid(`Invalid string: ${value.slice(0, 20)}...; must be at most ${max} characters`,
        undefined, path);
    }
    return value;
  };
}

/** An empty value takes the parameter away. */
export const clearable = (type) => (value, path) => (value === '' ? null : type(value, path));

export const need = (type) => Object.assign((value, path) => type(value, path), { needed: true });

export function integer({ min = -Infinity, max = Infinity } = {}) {
  return (value, path) => {
    if (!/^-?\d{1,15}$/.test(value)) {
      throw invalid(`Invalid integer: ${value}`, 'parameter_invalid_integer', path);
    }
    const number = Number(value);
    if (number < min) {
      throw invalid(`This value must be greater than or equal to ${min}.`,
        'parameter_invalid_integer', path);
    }
    if (number > max) {
      throw invalid(`This value must be less than or equal to ${max}.`,
        'parameter_invalid_integer', path);
    }
    return number;
  };
}

export function flag(value, path) {
  if (value !== 'true' && value !== 'false') {
    throw invalid(`Invalid boolean: ${value}`, undefined, path);
  }
  return value === 'true';
}

export function oneOf(...words) {
  return (value, path) => {
    if (!words.includes(value)) {
      throw invalid(`Invalid ${path.at(-1)}: must be one of ${words.join(', ')}`, undefined, path);
    }
    return value;
  };
}

export function url(value, path) {
  text()(value, path);
  let parsed;
  try {
    parsed = new URL(value);
  } catch {
    parsed = null;
  }
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw invalid('Not a valid URL', 'url_invalid', path);
  }
  return value;
}

export function email(value, path) {
  text(800)(value, path);
  if (!/^[^\s@]+@[^\s@]+$/.test(value)) {
    throw invalid(`Invalid email address: ${value}`, 'email_invalid', path);
  }
  return value;
}

export function listOf(type) {
  return (value, path) => {
    if (!Array.isArray(value)) {
      throw invalid('Invalid array', undefined, path);
    }
    return value.map((one, i) => type(one, [...path, i]));
  };
}

export function shape(types) {
  return (value, path) => {
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw invalid(`Invalid object: ${JSON.stringify(value)}`, undefined, path);
    }
    refuseUnknown(value, types, path);
    const typed = {};
    for (const [name, type] of Object.entries(types)) {
      if (value[name] !== undefined) {
        typed[name] = type(value[name], [...path, name]);
      } else if (type.needed) {
        const missing = [...path, name];
        throw invalid(`Missing required param: ${spell(missing)}.`, 'parameter_missing', missing);
      }
    }
    return typed;
  };
}

function refuseUnknown(value, types, path) {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(types, name)) {
      const unknown = [...path, name];
      throw invalid(`Received unknown parameter: ${spell(unknown)}`, 'parameter_unknown', unknown);
    }
  }
}

/** Metadata: 50 keys of 40 characters, values of 500; an empty value removes a key. */
export function metadata(value, path) {
  if (value === '') {
    return null;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalid('Invalid metadata: must be a hash', undefined, path);
  }
  const pairs = Object.entries(value);
  if (pairs.length > 50) {
    throw invalid('You can only have up to 50 metadata keys.', undefined, path);
  }
  for (const [key, one] of pairs) {
    if ([...key].length > 40 || typeof one !== 'string') {
      throw invalid(`Metadata keys can be at most 40 characters, values must be strings (${key}).`,
        undefined, [...path, key]);
    }
    if ([...one].length > 500) {
      throw invalid(`Metadata values can have up to 500 characters, but you passed in a value that `
        + `is ${[...one].length} characters.`, undefined, [...path, key]);
    }
  }
  return value;
}

/** The metadata after an update; null clears it. */
export function mergeMetadata(old, given) {
  if (given === undefined) {
    return old;
  }
  const all = given === null ? {} : { ...old, ...given };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

export const moment = (value, path) => (typeof value === 'object'
  ? shape({ gt: integer(), gte: integer(), lt: integer(), lte: integer() })(value, path)
  : exactly(integer()(value, path)));

const exactly = (second) => ({ gte: second, lte: second });

/** What every list takes. */
export const paging = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
};

export const created = { created: moment };
