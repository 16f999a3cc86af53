/*
 * past.js - orders and payments that lie in the past, without living through it.
 */
'use strict';
const crypto = require('node:crypto');

const PLAN = { product: 'annual', title: 'Annual plan', amount: 24900, currency: 'USD' };

/*
 * Write an order as POST /checkout would have, age_s ago, without a payment page.
 * -> its row, and the metadata that a payment of it carries
 */
async function order(t, email, { age_s = 0, plan = PLAN } = {}) {
  const token = crypto.randomBytes(16);
  const token_hash = crypto.createHash('sha256').update(token).digest();
  const [row] = await t.sql(
    `select id, reference from subpay.order_place(gen_random_uuid(), null, $1, 'stripe', 'test', $2,
       null, $3, $4, $5, $6, 'P1Y', '1y', 0, false, $7, '1 day')`,
    [token_hash, email, plan.product, plan.title, plan.amount, plan.currency, t.url]);
  if (age_s) {
    await t.sql(`update subpay.orders set created_at = created_at - $2 * interval '1 second',
      next_ask_at = next_ask_at - $2 * interval '1 second' where id = $1`, [row.id, age_s]);
  }
  return { ...row, token: token.toString('hex'), metadata: metadata(t, { ...row, email }, token_hash, plan) };
}

function metadata(t, { id, reference, email }, token_hash, plan) {
  return {
    subpay_order: id,
    subpay_reference: reference,
    subpay_email: email,
    subpay_product: plan.product,
    subpay_amount: `${plan.amount} ${plan.currency}`,
    subpay_period: '1y',
    subpay_credits: '0',
    subpay_token: token_hash.toString('hex'),
    subpay_site: t.url,
  };
}

/*
 * The provider took the money for such an order, age_s ago.
 * -> {payment_intent, charge, session}, as the sandbox names them
 */
async function payment(t, { id, metadata: words }, { age_s = 0, email, amount = 24900, currency = 'usd', ...more } = {}) {
  const made = await t.sandbox.payments({
    count: 1, amount, currency, email, age_s, metadata: words, client_reference_id: id, deliver: false, ...more,
  });
  return made;
}

module.exports = { PLAN, order, metadata, payment };
