/*
 * signature.mjs - the Stripe-Signature header.
 */

import { createHmac } from 'node:crypto';
import Stripe from 'stripe';

/**
 * Sign with each secret; while one is rolled there are several.
 *
 * The time is the machine's: the sandbox's clock may be days ahead, and a
 * signature is checked against the receiver's clock.
 *
 * @param payload  text is signed by Stripe's own library; bytes, which that
 *                 cannot take, by the same rule
 */
export function sign(payload, secrets, ageS = 0) {
  const timestamp = Math.floor(Date.now() / 1000) - ageS;
  const each = secrets.map((secret) => (typeof payload === 'string'
    ? Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }).split(',')[1]
    : `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(payload).digest('hex')}`));
  return [`t=${timestamp}`, ...each].join(',');
}
