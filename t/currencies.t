#!/usr/bin/env -S node --test-reporter=tap
// C and SQL count and write each currency alike: a difference would be a hundred-fold charge.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert } = require('./lib/subpay.js');

const t = SubPay.use({ start: false });
const read = (name) => fs.readFileSync(path.join(__dirname, '..', name), 'utf8');

/* The rows of an X-macro, as arrays: texts and numbers. */
const rows = (name, macro) => [...read(name).matchAll(new RegExp(`^${macro}\\((.*)\\)$`, 'gm'))]
  .map(([, list]) => JSON.parse(`[${list}]`));

test('the same table of currencies, for every code there could be', async () => {
  const table = rows('src/model/currency.def', 'SP_CURRENCY');
  assert.equal(table.length, 22);
  assert.equal(new Set(table.map(([code]) => code)).size, table.length);
  const inC = new Map(table.map(([code, ...rule]) => [code, rule.join()]));
  const letters = 'select chr(n) from generate_series(65, 90) n';
  const all = await t.sql(`select a.l || b.l || c.l as code, r.digits || ',' || r.shown || ',' || r.step as rule
    from (${letters}) a(l), (${letters}) b(l), (${letters}) c(l), lateral subpay.money_rule(a.l || b.l || c.l) r`);
  assert.equal(all.length, 26 ** 3);
  assert.deepEqual(all.filter(({ code, rule }) => rule !== (inC.get(code) ?? '2,2,1')), []);
});

test('and the same words for the same amounts', async () => {
  const cases = rows('t/unit/money_cases.def', 'MONEY');
  assert.ok(cases.length > 15);
  for (const [, minor, currency, shown] of cases) {
    assert.equal(await t.value('select subpay.money_text($1::bigint, $2)', [minor, currency]), shown);
  }
});
