/*
 * faults.mjs - trouble on demand: the rules, and which one meets a request.
 *
 * A rule names where ("POST /v1/refunds", "* /pay/*", "SMTP DATA", "WEBHOOK
 * charge.*"; "*" stands for anything) and what is to happen there. It is used
 * up after `times` uses (1 unless told, "always" for no end), and lets the
 * first `skip` matches pass.
 */

import { readFileSync } from 'node:fs';

export const KINDS = ['drop_reply', 'delay', 'status', 'truncate', 'reset', 'kill',
  'body', 'replace'];

/* Where acting first is the point of the fault; the others come before the effect. */
const USUALLY_AFTER = new Set(['drop_reply', 'truncate', 'kill', 'body', 'replace', 'delay']);

export class Faults {
  #rules = [];
  #next = 1;

  list() {
    return this.#rules.map(({ pattern, ...rule }) => rule);
  }

  clear() {
    this.#rules = [];
  }

  add(ask) {
    const wrong = findWrong(ask);
    if (wrong) {
      throw new Error(wrong);
    }
    const rule = {
      ms: 1000,
      status: 500,
      times: 1,
      skip: 0,
      when: USUALLY_AFTER.has(ask.do) ? 'after' : 'before',
      ...ask,
      pids: listed(ask.pids),
      id: this.#next++,
      met: 0,
      pattern: glob(ask.on),
    };
    rule.left = rule.times === 'always' || rule.times < 0 ? Infinity : rule.times;
    this.#rules.push(rule);
    return rule;
  }

  /** The rule for this place, used up by one, or null. */
  take(place) {
    const rule = this.#rules.find((one) => one.left > 0 && one.pattern.test(place));
    if (!rule) {
      return null;
    }
    rule.met++;
    if (rule.met <= rule.skip) {
      return null;
    }
    rule.left--;
    return rule;
  }
}

function findWrong(ask) {
  if (typeof ask?.on !== 'string' || ask.on === '') {
    return '"on" must be a pattern like "POST /v1/refunds"';
  }
  if (!KINDS.includes(ask.do)) {
    return `"do" must be one of ${KINDS.join(', ')}`;
  }
  if (listed(ask.pids).some((pid) => !Number.isInteger(pid) || pid <= 1)) {
    return '"pids" must be process numbers above 1';
  }
  return null;
}

const listed = (pids) => [pids ?? []].flat();

/** "/v1/refunds/:id" is "* /v1/refunds/*"; methods may be in small letters. */
function glob(text) {
  const place = text.trim().replace(/^\//, '* /').replace(/^\w+/, (word) => word.toUpperCase())
    .replace(/\/(:\w+|\{\w+\})/g, '/*');
  const source = place.split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${source}$`);
}

export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* State Z: dead, and nobody has asked for its end yet. */
function isRunning(pid) {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const still = new Int32Array(new SharedArrayBuffer(4));

/**
 * SIGKILL to each process of the rule; one that is gone already is fine. Returns when
 * they do nothing more: a process on another core outlives the signal by a moment, in
 * which it could take what must find it dead. Nothing else happens here meanwhile.
 */
export function killAll(rule) {
  for (const pid of rule.pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') {
        throw error;
      }
    }
  }
  const end = Date.now() + 2000;
  while (rule.pids.some(isRunning) && Date.now() < end) {
    Atomics.wait(still, 0, 0, 1);
  }
}
