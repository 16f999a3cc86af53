#!/usr/bin/env node
// A wrong directive stops `apachectl configtest`, and the message says what would be right.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { test, assert } = require('./lib/tap.js');
const place = require('./lib/place.js');

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-configtest-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

function file(name, text, mode = 0o600) {
  const where = path.join(folder, name);
  fs.writeFileSync(where, text);
  fs.chmodSync(where, mode);
  return where;
}

const TEST_KEY = 'sk_test_51canary0123456789';
const LIVE_KEY = 'sk_live_51canary0123456789';
const keys = {
  test: file('key', `${TEST_KEY}\n`),
  live: file('key-live', `${LIVE_KEY}\n`),
  open: file('key-open', `${TEST_KEY}\n`, 0o644),
  empty: file('key-empty', '\n'),
  two: file('key-two', 'sk_test_1 sk_test_2\n'),
  login: file('login', 'user:password\n'),
  halfLogin: file('login-half', 'password\n'),
  webhook: file('webhook', 'whsec_canary0123456789\n'),
  notify: file('notify', `whsec_${Buffer.alloc(32, 'canary').toString('base64')}\n`),
  templates: path.join(folder, 'templates'),
};
fs.mkdirSync(path.join(keys.templates, 'en/pages'), { recursive: true });
fs.writeFileSync(path.join(keys.templates, 'en/pages/plans.mustache'), 'one\n{{#two}}\n');

const PLAN = {
  '<SubPayProduct': 'annual>',
  SubPayPrice: '249.00 USD',
  SubPayPeriod: '1y',
};
const SHOP = {
  SubPayShare: place.PROJECT,
  SubPayEnvironment: 'test',
  SubPayBaseURL: 'https://shop.example.com',
  SubPaySupportEmail: 'help@shop.example.com',
  SubPayProviderKey: `stripe file:${keys.test}`,
  SubPayWebhookSecret: `stripe file:${keys.webhook}`,
};
const PRODUCTION = { SubPayEnvironment: 'production', SubPayProviderKey: `stripe file:${keys.live}` };

const lines = (directives) => Object.entries(directives)
  .filter(([, value]) => value !== null).map(([name, value]) => `${name} ${value}`).join('\n');

const section = (plan = {}) => `${lines({ ...PLAN, ...plan })}\n</SubPayProduct>`;

/* The whole configuration: a good shop, changed. A null takes a directive away. */
function config({ shop = {}, plan = {}, plans, more = '', modules = ['dbd'] }) {
  return [
    `ServerRoot "${folder}"`, `ErrorLog "${folder}/error.log"`, 'ServerName 127.0.0.1',
    'Listen 127.0.0.1:1',
    ...['mpm_event', 'authz_core', ...modules].map((name) =>
      `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    `LoadModule subpay_module ${place.BUILD}/mod_subpay.so`,
    lines({ ...SHOP, ...shop }),
    plans ?? section(plan),
    more, '',
  ].join('\n');
}

let runs = 0;
function configtest(change, env = {}) {
  const conf = file(`${++runs}.conf`, config(change));
  const sanitized = place.SANITIZE ? require('./lib/httpd.js').environment(folder) : {};
  return new Promise((resolve) => {
    execFile(APACHE, ['-t', '-d', folder, '-f', conf], {
      env: { PATH: process.env.PATH, ...sanitized, ...env },
    }, (error, stdout, stderr) => resolve({ status: error ? error.code : 0, said: stdout + stderr }));
  });
}

/* Each: what is changed, and what the message must hold. */
const wrong = [
  [{ SubPayEnvironment: 'staging' }, 'SubPayEnvironment "staging": write test or production'],
  [{ SubPayBaseURL: 'shop.example.com' }, 'SubPayBaseURL "shop.example.com": write a full address, such as https://'],
  [{ SubPayBaseURL: 'https://shop.example.com?x=1' }, 'SubPayBaseURL', 'without a query'],
  [{ SubPayBaseURL: '"https://shop.example.com/a b"' }, 'SubPayBaseURL', 'write a full address'],
  [{ SubPayBaseURL: 'ftp://shop.example.com' }, 'SubPayBaseURL "ftp://shop.example.com"', 'https://'],
  [{ SubPayBaseURL: null }, 'SubPayBaseURL is missing'],
  [{ SubPaySupportEmail: null }, 'SubPaySupportEmail is missing'],
  [{ SubPayProviderKey: null }, 'SubPayProviderKey is missing', 'file:/path'],
  [{ SubPayProvider: 'paypal' }, 'SubPayProvider "paypal"', 'write stripe'],
  [{ SubPayProviderKey: `paypal file:${keys.test}` }, 'SubPayProviderKey', 'write stripe'],
  [{ SubPayRenewalGrace: '100d' }, 'SubPayRenewalGrace "100d": write 0 to 90d'],
  [{ SubPayPriceCheck: 'off' }, 'SubPayPriceCheck "off": write auto, error or warn'],
  [{ SubPayProviderTimeout: '0' }, 'SubPayProviderTimeout "0": write 1s to 60s'],
  [{ SubPayReconcileInterval: 'soon' },
    'SubPayReconcileInterval "soon": write seconds or a number with s, m, h or d, such as 60s'],
  [{ SubPayReconcileInterval: '-5' }, 'SubPayReconcileInterval "-5"', 'such as 60s'],
  [{ SubPayReconcileInterval: '99999999999999999999s' }, 'SubPayReconcileInterval', 'such as 60s'],
  [{ SubPayReconcileInterval: '0' }, 'SubPayReconcileInterval "0": write 1s to 1h'],
  [{ SubPayReconcileOverlap: '10min' }, 'SubPayReconcileOverlap "10min"', 'such as 60s'],
  [{ SubPayDeepSweep: '10m' }, 'SubPayDeepSweep "10m": write 1h to 90d'],
  [{ SubPayPendingExpiry: '3d' }, 'SubPayPendingExpiry "3d": write 30m to 24h'],
  [{ SubPayDuplicateWindow: '1y' }, 'SubPayDuplicateWindow "1y"'],
  [{ SubPayGoodwill: 'seven' }, 'SubPayGoodwill "seven": write a whole number from 0 to 366'],
  [{ SubPaySupportEmail: 'help' }, 'SubPaySupportEmail "help": write one address'],
  [{ SubPaySupportHours: 'always' }, 'SubPaySupportHours "always": write days, hours and a time zone, such as Mon-Fri'],
  [{ SubPaySupportHours: 'Mon-Fry 08:30-17:30 UTC' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 8:30-17:30 UTC' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 17:30-08:30 UTC' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 08:30-17:60 UTC' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 08:30-17:30' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 08:30-17:30 Europe/Berlim' }, 'SubPaySupportHours'],
  [{ SubPaySupportHours: 'Mon-Fri 08:30-17:30 ../../../etc/passwd' }, 'SubPaySupportHours'],
  [{ SubPayRateLimit: '10' }, 'SubPayRateLimit "10": write checkout, webhook, find or support and a number'],
  [{ SubPayRateLimit: 'checkout few' }, 'SubPayRateLimit "checkout few"', 'such as checkout 10'],
  [{ SubPayRateLimit: 'checkout 10 find' }, 'SubPayRateLimit', 'such as checkout 10'],
  [{ SubPayRateLimit: 'find 99999' }, 'SubPayRateLimit', 'from 0 to 10000'],
  [{ SubPayRetention: 'mails' }, 'SubPayRetention "mails"', 'such as mails 2y'],
  [{ SubPayRetention: 'events 30d' }, 'SubPayRetention', 'events (60d or more)'],
  [{ SubPayRetention: 'mails 2y audit 11mo' }, 'SubPayRetention', 'audit (1y or more)'],
  [{ SubPayRetention: 'orders 1y' }, 'SubPayRetention', 'or forever'],
  [{ SubPayAlertTo: 'a@b.example, c' }, 'SubPayAlertTo', 'write one address or several'],
  [{ SubPayQuietHours: '22:00-08:00' }, 'SubPayQuietHours', 'write hours and a time zone'],
  [{ SubPayDigestAt: '8:30' }, 'SubPayDigestAt', 'write a time'],
  [{ SubPayPauseAfter: '30d' }, 'SubPayPauseAfter', 'write 0 to 7d'],
  [{ SubPayDuplicates: 'keep' }, 'SubPayDuplicates "keep": write refund or ticket'],
  [{ SubPayRefundEnds: 'none' }, 'SubPayRefundEnds "none": write full or any'],
  [{ SubPayDisputeAccess: 'end' }, 'SubPayDisputeAccess "end": write keep or suspend'],
  [{ SubPayAutoRefundAfter: '30m' }, 'SubPayAutoRefundAfter', 'write a time of at least 1h'],
  [{ SubPayAutoRefundAfter: '72h propose 5' }, 'SubPayAutoRefundAfter', '72h do 10'],
  [{ SubPayAutoRefundAfter: '72h do many' }, 'SubPayAutoRefundAfter', '72h do 10'],
  [{ SubPayRefundConfirm: '500' }, 'SubPayRefundConfirm', 'such as 500.00 USD 450.00 EUR'],
  [{ SubPayEscalateAfter: '0' }, 'SubPayEscalateAfter', 'write 10s to 24h'],
  [{ SubPayMailFrom: '"Shop <shop>"' }, 'SubPayMailFrom "Shop <shop>": write Name <address>'],
  [{ SubPayMailServer: 'mail.example.com' }, 'SubPayMailServer "mail.example.com": write smtp://host:port'],
  [{ SubPayMailTLS: 'maybe' }, 'SubPayMailTLS "maybe": write required, try or never'],
  [{ SubPayMailTLS: 'never', SubPayMailLogin: `file:${keys.login}` }, 'SubPayMailTLS "never"', 'write required'],
  [{ SubPayMailLogin: `file:${keys.halfLogin}` }, 'SubPayMailLogin', 'user:password'],
  [{ SubPayNotifyURL: 'https://app.example.com/x' }, 'SubPayNotifySecret is missing'],
  [{ SubPayNotifySecret: `file:${keys.notify}` }, 'SubPayNotifyURL is missing'],
  [{ SubPayNotifyURL: 'https://app.example.com/x', SubPayNotifySecret: `file:${keys.webhook}` },
    'SubPayNotifySecret', 'whsec_ and 24 to 64 bytes in base64'],
  [{ SubPayNotifyURL: 'https://app.example.com/x', SubPayNotifySecret: 'whsec_canary' },
    'SubPayNotifySecret: write file:/path'],
  [{ SubPayWorker: 'maybe' }, 'SubPayWorker "maybe": write on or off'],
  [{ SubPayTemplates: 'templates' }, 'SubPayTemplates "templates": write a full path'],
  [{ SubPayTemplates: keys.templates }, `SubPayTemplates "${keys.templates}"`, 'plans.mustache', 'line 2'],
  [{ SubPayShare: folder }, `SubPayShare "${folder}"`],
  [{ SubPayAppName: '""' }, 'SubPayAppName "": write some text'],
  [{ SubPayPrice: '5.00 USD' }, 'SubPayPrice', '<SubPayProduct'],
  [{ SubPayHeartBeat: 'x' }, 'SubPayHeartBeat'],
  /* where secrets come from */
  [{ SubPayProviderKey: `stripe ${TEST_KEY}` }, 'SubPayProviderKey: write file:/path or env:NAME'],
  [{ SubPayWebhookSecret: 'stripe whsec_canary' }, 'SubPayWebhookSecret: write file:/path'],
  [{ SubPayProviderKey: `stripe file:${folder}/none` }, 'SubPayProviderKey', `${folder}/none cannot be read`],
  [{ SubPayProviderKey: `stripe file:${keys.open}` }, 'SubPayProviderKey', 'chmod 600'],
  [{ SubPayProviderKey: `stripe file:${folder}` }, 'SubPayProviderKey', 'not a regular file'],
  [{ SubPayProviderKey: `stripe file:${keys.empty}` }, 'SubPayProviderKey', 'it is empty'],
  [{ SubPayProviderKey: `stripe file:${keys.two}` }, 'SubPayProviderKey', 'one line without blanks'],
  [{ SubPayProviderKey: 'stripe env:SUBPAY_NONE' }, 'SubPayProviderKey', 'the environment has no SUBPAY_NONE'],
  [{ SubPayWebhookSecret: `stripe file:${keys.open}` }, 'SubPayWebhookSecret', 'chmod 600'],
  /* test and production do not mix */
  [{ SubPayProviderKey: `stripe file:${keys.live}` }, 'SubPayProviderKey', 'SubPayEnvironment is test'],
  [{ SubPayEnvironment: 'production' }, 'SubPayProviderKey', 'SubPayEnvironment is production'],
  [{ ...PRODUCTION, SubPayProviderURL: 'stripe https://api.example.com' }, 'SubPayProviderURL', 'only for tests'],
  [{ ...PRODUCTION, SubPayBaseURL: 'http://shop.example.com' }, 'SubPayBaseURL "http://shop.example.com"', 'https'],
  [{ ...PRODUCTION, SubPayNotifyURL: 'http://app.example.com/x', SubPayNotifySecret: `file:${keys.notify}` },
    'SubPayNotifyURL', 'https'],
  [{ ...PRODUCTION, SubPayAlertWebhook: 'http://chat.example.com/x' }, 'SubPayAlertWebhook', 'https'],
  [{ SubPayProviderURL: 'stripe http://api.example.com' }, 'SubPayProviderURL', 'readable on its way'],
  [{ SubPayCapture: 'later' }, 'SubPayCapture "later": write automatic or after-access'],
];

const wrongPlans = [
  [{ plan: { SubPayPrice: null } }, '<SubPayProduct annual>: SubPayPrice is missing'],
  [{ plan: { SubPayPrice: '0.00 USD' } }, 'SubPayPrice "0.00 USD": write a price above zero'],
  [{ plan: { SubPayPrice: '249 dollars' } }, 'SubPayPrice "249 dollars"', 'such as 249.00 USD'],
  [{ plan: { SubPayPrice: '249.5 USD' } }, 'SubPayPrice "249.5 USD"'],
  [{ plan: { SubPayPrice: '500.00 JPY' } }, 'SubPayPrice "500.00 JPY"'],
  [{ plan: { SubPayPrice: '24.905 KWD' } }, 'SubPayPrice "24.905 KWD"', 'ends in 0'],
  [{ plan: { SubPayPeriod: '1 year' } }, 'SubPayPeriod "1 year": write a number with d, w, mo or y, such as 1y'],
  [{ plan: { SubPayPeriod: '0y' } }, 'SubPayPeriod "0y"'],
  [{ plan: { SubPayPeriod: '1m' } }, 'SubPayPeriod "1m"'],
  [{ plan: { SubPayPeriod: '101y' } }, 'SubPayPeriod "101y"'],
  [{ plan: { SubPayPeriod: null } }, '<SubPayProduct annual>: it would give nothing'],
  [{ plan: { SubPayCredits: '-1' } }, 'SubPayCredits "-1"'],
  [{ plan: { SubPayRenews: 'maybe' } }, 'SubPayRenews "maybe": write on or off'],
  [{ plan: { SubPayRenews: 'on', SubPayPeriod: '4y' } }, 'Stripe renews at least every three years'],
  [{ plan: { SubPayRenews: 'on', SubPayPeriod: null, SubPayCredits: '10' } }, 'a plan that renews needs SubPayPeriod'],
  [{ plan: { SubPayWorker: 'on' } }, 'SubPayWorker', 'does not belong'],
  [{ plan: { '<SubPayProduct': '"An nual">' } }, '<SubPayProduct "An nual">: write a name'],
  [{ plans: '' }, '<SubPayProduct> is missing'],
  [{ more: section() }, '<SubPayProduct annual>: there is one of this name already'],
  [{ modules: [] }, 'mod_dbd is not loaded', 'LoadModule dbd_module'],
  [{
    more: '<VirtualHost *:1>\nServerName b.example.com\nSubPayAppName other\n</VirtualHost>',
    shop: { SubPayAppName: 'one' },
  }, 'SubPayAppName: written for another virtual host already'],
];

const right = [
  ['as it is', {}],
  ['every duration', { shop: { SubPayReconcileInterval: '90', SubPayReconcileOverlap: '10m', SubPayDeepSweep: '3d', SubPayPendingExpiry: '24h' } }],
  ['a plan that renews', { plan: { SubPayRenews: 'on', SubPayPeriod: '3mo' } }],
  ['a credit pack in yen', { plan: { SubPayPrice: '500 JPY', SubPayPeriod: null, SubPayCredits: '100' } }],
  ['access before capture', { shop: { SubPayCapture: 'after-access' } }],
  ['dinars that end in 0', { plan: { SubPayPrice: '24.900 KWD' } }],
  ['production', { shop: { ...PRODUCTION, SubPayBaseURL: 'https://shop.example.com/' } }],
  ['a key in the environment', { shop: { SubPayProviderKey: 'stripe env:SUBPAY_KEY' } }, { SUBPAY_KEY: TEST_KEY }],
  ['two webhook secrets', { more: `SubPayWebhookSecret stripe file:${keys.test}` }],
  ['words without quotes', { shop: { SubPayAppName: 'Fern Street Gym', SubPayMailFrom: 'Gym <pay@gym.example.com>' } }],
  ['directives in any case', { more: 'subpaygoodwill 3' }],
  ['all of it inside a virtual host', {
    shop: Object.fromEntries(Object.keys(SHOP).map((name) => [name, null])),
    plans: `<VirtualHost *:1>\n${lines(SHOP)}\n${section()}\n</VirtualHost>`,
  }],
  ['loaded and not configured', { shop: Object.fromEntries(Object.keys(SHOP).map((name) => [name, null])), plans: '' }],
];

async function refused(change, ...words) {
  const { status, said } = await configtest(change);
  assert.notEqual(status, 0, said);
  for (const word of words) assert.ok(said.includes(word), `no "${word}" in: ${said}`);
  assert.doesNotMatch(said, /canary/, 'a secret is in the message');
}

for (const [shop, ...words] of wrong) {
  test(`refused: ${Object.entries(shop).map((pair) => pair.join(' ')).join(', ').replaceAll(folder, '')
    .replace(/#/g, '')}`, () => refused({ shop }, ...words));
}
for (const [change, ...words] of wrongPlans) {
  test(`refused: ${words[0].replace(/#/g, '')}`, () => refused(change, ...words));
}
for (const [name, change, env] of right) {
  test(`accepted: ${name}`, async () => {
    const { status, said } = await configtest(change, env);
    assert.equal(status, 0, said);
    assert.match(said, /Syntax OK/);
  });
}
