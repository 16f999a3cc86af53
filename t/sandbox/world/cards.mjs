/*
 * cards.mjs - the test cards, and what each of them does.
 *
 * Source: Stripe's documentation, "Test cards"; the numbers are theirs.
 */

const ok = (number, brand, more = {}) => [number, { number, brand, ...more }];
const short = (tail, more) => ok(`400000000000${tail}`, 'visa', more);

const DECLINES = {
  generic_decline: ['card_declined', 'Your card was declined.'],
  insufficient_funds: ['card_declined', 'Your card has insufficient funds.'],
  lost_card: ['card_declined', 'Your card was declined.'],
  stolen_card: ['card_declined', 'Your card was declined.'],
  fraudulent: ['card_declined', 'Your card was declined.'],
  expired_card: ['expired_card', 'Your card has expired.'],
  incorrect_cvc: ['incorrect_cvc', "Your card's security code is incorrect."],
  processing_error: ['processing_error',
    'An error occurred while processing your card. Try again in a little bit.'],
  authentication: ['payment_intent_authentication_failure',
    'The provided PaymentMethod has failed authentication. You can provide payment_method_data '
    + 'or a new PaymentMethod to attempt to fulfill this PaymentIntent again.'],
};

const CARDS = new Map([
  ok('4242424242424242', 'visa'),
  ok('5555555555554444', 'mastercard'),
  ok('378282246310005', 'amex'),
  short('0002', { decline: 'generic_decline' }),
  short('9995', { decline: 'insufficient_funds' }),
  short('9987', { decline: 'lost_card' }),
  short('9979', { decline: 'stolen_card' }),
  short('0069', { decline: 'expired_card' }),
  short('0127', { decline: 'incorrect_cvc' }),
  short('0119', { decline: 'processing_error' }),
  ok('4000002500003155', 'visa', { challenge: true }),
  ok('4000002760003184', 'visa', { challenge: true }),
  ok('4000008260003178', 'visa', { challenge: true, decline: 'insufficient_funds' }),
  ok('4100000000000019', 'visa', { decline: 'fraudulent', blocked: true }),
  short('9235', { elevated: true }),
  short('0259', { dispute: { reason: 'fraudulent', status: 'needs_response' } }),
  short('2685', { dispute: { reason: 'product_not_received', status: 'needs_response' } }),
  short('1976', { dispute: { reason: 'fraudulent', status: 'warning_needs_response' } }),
  short('5423', { warning: true }),
  short('7726', { refund: 'pending_then_succeeded' }),
  short('5126', { refund: 'succeeded_then_failed' }),
]);

/* The names that the API takes instead of a number. */
const NAMED = {
  pm_card_visa: '4242424242424242',
  pm_card_mastercard: '5555555555554444',
  pm_card_amex: '378282246310005',
  pm_card_chargeDeclined: '4000000000000002',
  pm_card_visa_chargeDeclined: '4000000000000002',
  pm_card_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_visa_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_authenticationRequired: '4000002760003184',
  pm_usBankAccount_success: 'delayed',
  pm_card_createDispute: '4000000000000259',
  pm_card_createDisputeInquiry: '4000000000001976',
  pm_card_pendingRefund: '4000000000007726',
  pm_card_refundFail: '4000000000005126',
};

/** What somebody typed as a card: null if no such test card exists. */
export function findCard(text) {
  const number = NAMED[text] ?? String(text ?? '').replace(/[\s-]/g, '');
  if (number === 'delayed') {
    return { number, delayed: true };
  }
  const card = CARDS.get(number);
  return card ? { ...card, last4: number.slice(-4), fingerprint: `Sandbox${number.slice(-9)}` } : null;
}

/** Why the bank said no: {code, decline_code, message}. */
export function declineOf(name) {
  const [code, message] = DECLINES[name];
  return { code, decline_code: code === 'card_declined' ? name : undefined, message };
}
