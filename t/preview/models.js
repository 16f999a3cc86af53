'use strict';
// Sample models: one for each page and mail, and for each state that it has.

const t = (iso, text) => ({ iso, text });
const started = t('2026-07-31T14:02:00Z', '31 July 2026, 14:02 UTC');
const expires = t('2027-07-31', '31 July 2027');
const by = t('2026-07-31T14:12:00Z', '14:12 UTC');

const common = {
  app_name: 'Larkspur', app_url: 'https://larkspur.example/', base: '',
  support_email: 'help@larkspur.example', support_names: 'Ana and Sam',
  provider_name: 'Stripe', test_mode: true, form_key: '3f0c', worker: 'off',
};
const order = {
  title: 'Annual plan', amount: '249.00 USD', statement: 'LARKSPUR* SP7K3M92QX',
  email_masked: 'a…@example.com', started, promised: by,
  check_url: '/return?t=00112233445566778899aabbccddeeff&r=SP-7K3M-92QX',
};
const bought = {
  ...order, expires, paid_at: t('2026-07-31T14:03:10Z', '31 July 2026, 14:03 UTC'),
  completed_at: t('2026-07-31T14:31:00Z', '31 July 2026, 14:31 UTC'),
};
const money = (line) => ({ [line]: true, amount: '249.00 USD' });
const withOrder = { reference: 'SP-7K3M-92QX' };

const annual = {
  name: 'annual', title: 'Annual plan', amount: '249.00 USD', period_text: '1 year',
  statement: 'LARKSPUR* SP…', selected: true,
};
const pack = {
  name: 'credits', title: '500 credits', amount: '40.00 USD', credits: 500,
  statement: 'LARKSPUR* SP…',
};
const monthly = {
  name: 'monthly', title: 'Monthly plan', amount: '29.00 USD', period_text: '1 month',
  renews: true, renews_on: { iso: '2026-08-31', text: '31 August 2026' }, statement: 'LARKSPUR* SP…',
};
const shop = { show_form: true, products: [annual], fields: {} };
const several = { ...shop, several_products: true, products: [annual, monthly, pack] };
const problems = (...list) => Object.assign(
  { has_problems: true, problems: list.map(([field, message]) => ({ field, message })) },
  ...list.map(([field, message]) => ({ [`problem_${field}`]: message })));
const emailProblem = problems(['email', 'Enter an e-mail address, like name@example.com']);

const returned = (state, line, more = {}) => ({
  ...withOrder, order, state: { [state]: true }, money: money(line), ...more,
});

const pages = {
  plans: ['plans', shop],
  'plans-several': ['plans', several],
  'plans-started': ['plans', {
    ...shop, show_form: false, ...withOrder,
    first: { started, url: '/return', money: money('checking') },
  }],
  'plans-started-closed': ['plans', {
    ...shop, first: { started, url: '/return', new_url: '/?new=1', money: money('not_charged') },
  }],
  'checkout-problems': ['checkout', {
    ...several, fields: { email: 'ana@', name: '<b>Ana</b>' },
    ...problems(['email', 'Enter an e-mail address, like name@example.com'],
      ['name', 'Write a name of at most 200 letters'],
      ['product', 'Choose one of the plans']),
  }],
  'checkout-slip': ['checkout', {
    ...shop, fields: { email: 'ana@gmial.com' }, suggested_email: 'ana@gmail.com',
  }],
  'return-checking': ['return', returned('checking', 'checking', { status_url: '/status' })],
  'return-late': ['return', returned('late', 'checking', { status_url: '/status' })],
  'return-late-person': ['return', returned('late', 'checking', {
    state: { late: true, handed_over: true }, answer_by: t('2026-08-01T08:30:00Z', '1 August, 08:30 UTC'),
  })],
  'return-processing': ['return', returned('processing', 'checking')],
  'return-paid': ['return', returned('paid', 'paid', {
    order: bought, password_url: '/password?t=1', start_url: 'https://larkspur.example/app',
    correct_email: { action: '/return/email', form_key: '3f0c', t: '1', r: 'SP-7K3M-92QX' },
  })],
  'return-paid-late': ['return', returned('paid', 'paid', {
    order: { ...bought, delay_minutes: 28, bonus_days: 7 }, password_url: '/password?t=1',
  })],
  'return-paid-shared': ['return', returned('paid', 'paid', {
    order: { ...bought, email_masked: undefined }, login_url: '/login', fresh_link_url: '/password',
  })],
  'return-review': ['return', returned('review', 'paid', {
    order: { ...bought, review_by: t('2026-07-31T18:00:00Z', '18:00 UTC') },
  })],
  'return-declined': ['return', returned('declined', 'held', {
    order: { ...order, checkout_url: 'https://pay.example/1' },
  })],
  'return-expired': ['return', returned('expired', 'not_charged')],
  'return-open': ['return', returned('open', 'open', {
    order: { ...order, checkout_url: 'https://pay.example/1', kept_until: expires },
  })],
  'return-refunded': ['return', returned('refunded', 'returned')],
  'return-ended': ['return', returned('ended', 'paid')],
  'return-suspended': ['return', returned('suspended', 'paid')],
  cancel: ['cancel', returned('cancelled', 'open', {
    order: { ...order, checkout_url: 'https://pay.example/1', kept_until: expires },
  })],
  'cancel-checking': ['cancel', returned('checking', 'checking', { status_url: '/status' })],
  problem: ['problem', withOrder],
  'problem-retry': ['problem', { retry_url: '/' }],
  message: ['message', {
    title: 'This link has been used.', lines: ['Your address is corrected already.'],
    links: [{ url: '/account', text: 'Your account' }],
  }],
  not_found: ['not_found', {}],
  offline: ['offline', {}],
  paused: ['paused', { money: money('not_charged'), can_store: true, fields: {} }],
  'paused-saved': ['paused', { can_store: true, state: { saved: true } }],
  find: ['find', { show_form: true, fields: {} }],
  'find-problems': ['find', {
    show_form: true, details_open: true, fields: { email: '', reference: 'SP-1', last4: '12' },
    ...problems(['reference', 'A reference looks like SP-7K3M-92QX; one symbol here is mistyped'],
      ['last4', 'Write the last four digits, like 4242']),
  }],
  'find-sent': ['find', { state: { sent: true }, answer_by: by }],
  'find-found': ['find', {
    ...withOrder, order: bought, state: { found: true }, money: money('paid'), next_url: '/return',
  }],
  support: ['support', {
    show_form: true, ...withOrder, order, money: money('checking'),
    fields: { email: 'ana@example.com' }, answer_by: by,
  }],
  'support-problems': ['support', {
    show_form: true, fields: { email: 'ana@', message: '' }, ...emailProblem,
  }],
  'support-sent': ['support', {
    reference: 'SP-7K3M-92QX', ticket_reference: 'T-1042', state: { sent: true },
    answer_by: t('2026-08-01T08:30:00Z', '1 August, 08:30 UTC'), money: money('checking'),
  }],
  'support-fixed': ['support', {
    ...withOrder, order: bought, state: { fixed: true }, money: money('paid'), next_url: '/return',
  }],
  'password-choose': ['password', { state: { choose: true }, email: 'ana@example.com', t: '1' }],
  'password-problem': ['password', {
    state: { choose: true }, email: 'ana@example.com', t: '1',
    ...problems(['password', 'Many people use this one, so others guess it. Choose another']),
  }],
  'password-expired': ['password', { state: { expired: true }, fields: {} }],
  'password-ask': ['password', { state: { ask: true }, fields: {} }],
  'password-sent': ['password', { state: { sent: true } }],
  'password-done': ['password', { state: { done: true } }],
  login: ['login', { fields: {}, to: '/members/', state: { needed: true } }],
  'login-problem': ['login', {
    fields: { email: 'ana@example.com' }, to: '/',
    ...problems(['password', 'E-mail and password do not go together']),
  }],
  account: ['account', {
    email: 'ana@example.com', has_access: true, has_password: true, show_credits: true,
    credits: 120, start_url: 'https://larkspur.example/app',
    subscriptions: [{ title: 'Annual plan', active: true, expires, reference: 'SP-7K3M-92QX', url: '/return' }],
  }],
  'account-renewing': ['account', {
    email: 'ana@example.com', has_access: true, has_password: true,
    subscriptions: [{ title: 'Monthly plan', active: true, expires, renews_on: expires, reference: 'SP-7K3M-92QX',
      url: '/return', renewal: { can_stop: true } }],
  }],
  'account-declined': ['account', {
    email: 'ana@example.com', has_access: true, has_password: true,
    subscriptions: [{ title: 'Monthly plan', active: true, expires, reference: 'SP-7K3M-92QX', url: '/return',
      renewal: { declined: true, grace: expires, pay_url: 'https://pay.example/in', can_stop: true } }],
  }],
  'account-empty': ['account', { email: 'ana@example.com', notice: 'Your password is saved.' }],
  lapsed: ['lapsed', { email: 'ana@example.com', order: { title: 'Annual plan', expires } }],
  'lapsed-never': ['lapsed', { email: 'ana@example.com', state: { never: true } }],
};

const mailed = (line, more) => ({
  ...withOrder, base: 'https://larkspur.example', order: bought, money: money(line),
  start_url: 'https://larkspur.example/app', ...more,
});
const link = { password_url: 'https://larkspur.example/password?t=00112233445566778899aabbccddeeff' };
const ticket = {
  subject: 'Charged but nothing <arrived>', reference: 'T-1042',
};

const mails = {
  confirmation: mailed('paid', link),
  recovered: mailed('paid', { ...link, order: { ...bought, bonus_days: 7 }, signed: 'Ana' }),
  refund: mailed('returned', { refund: { expected: expires, plan_ends: by, arn: '7433' } }),
  'refund-renewal': mailed('returned', { refund: { expected: expires, plan_until: by } }),
  'refund-unasked': mailed('returned', { refund: { expected: expires, no_plan: true, unasked_paid_at: started } }),
  refund_failed: mailed('paid', { refund: { amount: '100.00 USD', told_at: started, plan_open: true }, answer_by: by }),
  duplicate: mailed('returned', { first_at: started, second_at: by }),
  acknowledge: mailed('checking', { ticket, answer_by: by, state: { asking: true } }),
  healed: mailed('paid', { ticket, money: undefined, order: undefined, reference: undefined }),
  checking: mailed('checking', { asked_times: 9, asked_since: started, takeover_at: by, answer_by: by }),
  dispute: mailed('paid', { delayed: true, signed: 'Sam' }),
  'dispute-suspended': mailed('paid', { delayed: true, suspended: true, signed: 'Sam' }),
  renewed: mailed('paid', { account_url: 'https://larkspur.example/account' }),
  renewal_stopped: mailed('paid', { money: undefined, account_url: 'https://larkspur.example/account' }),
  renewal_declined: mailed('not_charged', { next_try: by, card_url: 'https://larkspur.example/account' }),
  review: mailed('paid', { order: { ...bought, review_by: by } }),
  released: mailed('held', { had_access: true }),
  set_password: mailed('paid', link),
  email_changed: mailed('paid', link),
  'email_changed-old': mailed('paid', { to_old: true, new_email_masked: 'a…@gmail.com' }),
  found: mailed('paid', { ...link, state: { paid: true } }),
  not_found: mailed('open', { reference: undefined, order: undefined, find_url: 'https://larkspur.example/find' }),
  reply: mailed('paid', { ticket, signed: 'Ana', reply: 'I found it.\n\nDoes it open for you?', reply_lines: ['I found it.', 'Does it open for you?'] }),
  resumed: mailed('paid', { reference: undefined, order: undefined, plans_url: 'https://larkspur.example/' }),
  alert: mailed('paid', {
    alert: {
      headline: 'PAID, NO ACCESS: 3 people, 747.00 USD, longest 22 min',
      tried: 'replay at 14:05, 14:06 and 14:10', told: 'E6 at 14:12',
      first_step: 'look at the worker', first_step_url: 'https://larkspur.example/admin/runs',
      acknowledge_url: 'https://larkspur.example/admin/', cases: [
        { reference: 'SP-7K3M-92QX', waiting: '22 min', amount: '249.00 USD', url: 'https://larkspur.example/admin/orders/SP-7K3M-92QX' }],
    },
  }),
  digest: mailed('paid', {
    needs_count: 2, healed_count: 5, healed_slowest: '3 min', admin_url: 'https://larkspur.example/admin/',
    needs: [{ who: 'SP-7K3M-92QX', since: '14:02 UTC', amount: '249.00 USD', next_step: 'answer the ticket', url: 'https://larkspur.example/admin/tickets/1' }],
    health: [{ name: 'last run', value: '08:29 UTC' }, { name: 'oldest mail', value: 'none waits' }],
  }),
  'digest-quiet': mailed('paid', { needs_count: 0, healed_count: 0, admin_url: 'https://larkspur.example/admin/', health: [] }),
};

module.exports = { common, pages, mails };
