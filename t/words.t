#!/usr/bin/env -S node --test-reporter=tap
// The words that people read who fear for their money: what is never said, what each mail
// and page must say, and that no sentence is left in English where the page is not.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { test, assert } = require('./lib/tap.js');

const PROJECT = path.resolve(__dirname, '..');
const TEMPLATES = path.join(PROJECT, 'htdocs/templates');
const read = (name) => fs.readFileSync(path.join(PROJECT, name), 'utf8');
const files = (folder) => fs.readdirSync(path.join(PROJECT, folder), { recursive: true })
  .map((name) => path.join(folder, name)).filter((name) => fs.statSync(path.join(PROJECT, name)).isFile());

/* What customers read, without tags, attributes and the language of templates. */
const forPeople = (name) => !/\/admin_|\/mails\/(alert|digest)\./.test(name);
const templates = files('htdocs/templates').filter((name) => name.endsWith('.mustache') && forPeople(name));
const shown = (text) => text.replace(/<!doctype[^>]*>/gi, '').replace(/<style>.*?<\/style>/gs, '')
  .replace(/\{\{![^}]*\}\}/g, '').replace(/\{\{[^}]*\}\}/g, ' … ').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

/* String literals of a C file, those that follow each other put together. */
const literals = (text) => [...text.replace(/\/\*.*?\*\//gs, '').matchAll(/"((?:[^"\\]|\\.)*)"(?:\s*"((?:[^"\\]|\\.)*)")*/g)]
  .map(([all]) => [...all.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join('').replaceAll('\\"', '"'));
const rooms = ['src/handle', 'src/domain', 'src/util'].flatMap(files)
  .filter((name) => name.endsWith('.c') && !/\/(admin|desk|alert|api|credit|webhook|body|status|digest|endpoint|notify|anomaly|reconcile|refund|outbox|log)/.test(name));

const NEVER = [
  /\boops\b/i, /unfortunately/i, /inconvenience/i, /technical (difficult|problem|issue)/i, /valued customer/i,
  /don.t worry/i, /should be fine/i, /\binvalid\b/i, /error code/i, /(payment|transaction) (has )?failed/i,
  /insufficient funds/i, /no money was taken/i, /had issues/i, /as stated/i, /you should have/i, /survey/i,
  /hoppla|\bups\b/i, /\bleider\b/i, /bedauerlich/i, /unannehmlichkeit/i, /technische[nrs]? (schwierigkeit|problem)/i,
  /geschätzte/i, /keine sorge/i, /ungültig/i, /fehlercode/i, /zahlung (ist )?(fehlgeschlagen|gescheitert)/i,
  /nicht gedeckt|keine deckung/i, /kein geld abgebucht/i, /wie (bereits )?(gesagt|erwähnt)/i,
];

test('section 3 is kept out of every page, mail and sentence', () => {
  const said = [...templates.map((name) => [name, shown(read(name))]),
    ['htdocs/problem.html', shown(read('htdocs/problem.html'))],
    ['htdocs/assets/subpay.js', literals(read('htdocs/assets/subpay.js')).join('\n')],
    ...files('htdocs/templates').filter((name) => name.endsWith('.json')).map((name) => [name, read(name)]),
    ...rooms.map((name) => [name, literals(read(name)).filter((one) => /^[A-Z].* .*[.?]$/.test(one)).join('\n')])];
  const found = said.flatMap(([name, text]) => NEVER.filter((never) => never.test(text)).map((never) => `${name}: ${never.exec(text)[0]}`));
  assert.deepEqual(found, []);
});

test('nobody shouts', () => {
  const found = templates.filter((name) => shown(read(name)).includes('!'));
  assert.deepEqual(found, []);
});

/* "Sorry" once, early, for what we did; a bank's decline is no doing of ours. */
test('sorry is said once at most, and not for the bank', () => {
  const count = (text) => (shown(text).match(/\bsorry\b|tut (uns|mir) leid|entschuldig/gi) ?? []).length;
  const one = (name) => /(recovered|problem|support|find|replies|mails\/refund)/.test(name) || count(read(name)) === 0 || /paid|account_of/.test(name);
  for (const name of templates) assert.ok(count(read(name)) <= 1, `${name} says it ${count(read(name))} times`);
  assert.deepEqual(templates.filter((name) => !one(name)), []);
  for (const name of templates.filter((each) => /declined|renewal/.test(each))) assert.equal(count(read(name)), 0, name);
});

/* The six lines stand in one place, so that no page can bring one of its own. */
const LINES = {
  en: [/received your payment/i, /no payment has reached/i, /not been charged/i, /sent .* back to your card/i, /whether your payment went through/i],
  de: [/zahlung von .* eingegangen/i, /keine zahlung bei uns angekommen/i, /nichts abgebucht/i, /auf ihre karte zurück/i, /ob ihre zahlung durchgegangen/i],
};
/* Where one is part of a longer sentence, or said for a case of its own. */
const MAY = /layout\/money|return\/(watch|late_words)|return\/released|pages\/(problem|offline|account)|mails\/(recovered|not_found|acknowledge|released)|replies\//;

for (const [lang, lines] of Object.entries(LINES)) {
  test(`${lang}: a money line is said by layout/money alone`, () => {
    const found = templates.filter((name) => name.includes(`/${lang}/`) && !MAY.test(name))
      .flatMap((name) => lines.filter((line) => line.test(shown(read(name)))).map((line) => `${name}: ${line}`));
    assert.deepEqual(found, []);
    for (const line of lines) assert.match(shown(read(`htdocs/templates/${lang}/layout/money.mustache`)), line);
  });
}

test('both languages have the same pages and mails, with the same things to say', () => {
  const own = (lang) => files(`htdocs/templates/${lang}`).filter((name) => name.endsWith('.mustache'))
    .map((name) => path.relative(`htdocs/templates/${lang}`, name)).filter((name) => /^(pages|mails)\//.test(name));
  const german = own('de');
  assert.deepEqual(own('en').filter((name) => !/admin_/.test(name) && !german.includes(name)), []);
  const tags = (name) => [...new Set(read(name).match(/\{\{[#^]?[a-z_.]+\}\}/g) ?? [])].sort();
  for (const name of german) {
    assert.deepEqual(tags(`htdocs/templates/de/${name}`), tags(`htdocs/templates/en/${name}`), name);
  }
});

test('text and HTML of a mail say the same', () => {
  const words = (text) => shown(text).toLowerCase().replace(/[^a-zäöüß ]/g, ' ').split(/\s+/).filter((one) => one.length > 3);
  for (const lang of ['en', 'de']) {
    for (const name of files(`htdocs/templates/${lang}/mails`).filter((each) => each.endsWith('.text.mustache') && forPeople(each))) {
      const html = new Set(words(read(name.replace('.text.', '.html.'))));
      const missing = words(read(name)).filter((word) => !html.has(word));
      /* A link reads "Start here:" above an address, and is a button there. */
      assert.ok(missing.length <= 9, `${name}: not in the HTML: ${missing.join(' ')}`);
    }
  }
});

test('what the code says on a page is there in German', () => {
  const phrases = JSON.parse(read('htdocs/templates/de/phrases.json'));
  /* Answers for programs, and what is said within something else. */
  const programs = /No such order|Send a form or JSON|Send the same request|There is nothing at this address|New payments are paused|payment_method\.$|POST .checkout|application.x-www-form|body unpacked|not one JSON|The plan has ended|belongs to a plan that the account|paused new payments|Something broke on our side\. If money/;
  const said = rooms.flatMap((name) => literals(read(name)))
    .filter((one) => /^[A-Z][a-z' ]+ .*\.$/.test(one) && !one.includes('%') && !one.includes('<') && !programs.test(one));
  assert.deepEqual([...new Set(said)].filter((one) => !(one in phrases)).sort(), []);
});
