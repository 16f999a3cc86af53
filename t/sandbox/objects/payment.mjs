/*
 * payment.mjs - the shapes of a payment: intent, charge, method, money moved.
 */

import { noAddress } from './parts.mjs';

export function paymentIntent(fields) {
  return {
    object: 'payment_intent',
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${fields.id}_secret_${fields.id.slice(-20)}`,
    confirmation_method: 'automatic',
    customer: null,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { installments: null, mandate_options: null, network: null,
      request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    ...fields,
  };
}

export function charge(fields) {
  return {
    object: 'charge',
    amount_captured: 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: billingDetails({}),
    calculated_statement_descriptor: null,
    captured: false,
    customer: null,
    description: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    on_behalf_of: null,
    outcome: null,
    paid: false,
    payment_intent: null,
    payment_method: null,
    payment_method_details: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'pending',
    transfer_data: null,
    transfer_group: null,
    ...fields,
  };
}

export function billingDetails({ email = null, name = null }) {
  return { address: noAddress(), email, name, phone: null, tax_id: null };
}

export function outcome(fields = {}) {
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: 'approved_by_network',
    reason: null,
    risk_level: 'normal',
    risk_score: 12,
    seller_message: 'Payment complete.',
    type: 'authorized',
    ...fields,
  };
}

/** The card as a charge shows it. */
export function cardDetails(card, amount) {
  return {
    type: 'card',
    card: {
      amount_authorized: amount,
      authorization_code: '123456',
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      exp_month: 12,
      exp_year: 2034,
      extended_authorization: { status: 'disabled' },
      fingerprint: card.fingerprint,
      funding: 'credit',
      incremental_authorization: { status: 'unavailable' },
      installments: null,
      last4: card.last4,
      mandate: null,
      multicapture: { status: 'unavailable' },
      network: card.brand,
      network_token: { used: false },
      network_transaction_id: '104102978678771',
      overcapture: { maximum_amount_capturable: amount, status: 'unavailable' },
      regulated_status: 'unregulated',
      three_d_secure: card.authenticated ? threeDSecure() : null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

function threeDSecure() {
  return {
    authentication_flow: 'challenge',
    electronic_commerce_indicator: '05',
    exemption_indicator: null,
    result: 'authenticated',
    result_reason: null,
    transaction_id: '8d4e3b1c-6c2f-4c1e-9d0a-2f8a6b7c5d4e',
    version: '2.2.0',
  };
}

/** The account as a charge shows it, for the method that takes days. */
export function bankDetails() {
  return {
    type: 'us_bank_account',
    us_bank_account: {
      account_holder_type: 'individual',
      account_type: 'checking',
      bank_name: 'TEST BANK',
      fingerprint: 'Cq4f7Yx2LkT9bE1w',
      last4: '6789',
      mandate: 'mandate_1SandboxBankDebit0000000',
      payment_reference: null,
      routing_number: '110000000',
    },
  };
}

export function paymentMethod({ card, details, ...fields }) {
  return {
    object: 'payment_method',
    allow_redisplay: 'limited',
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: details.type,
    ...(details.type === 'card' ? { card: savedCard(card) } : { us_bank_account: savedAccount() }),
    ...fields,
  };
}

function savedCard(card) {
  return {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    display_brand: card.brand,
    exp_month: 12,
    exp_year: 2034,
    fingerprint: card.fingerprint,
    funding: 'credit',
    generated_from: null,
    last4: card.last4,
    networks: { available: [card.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}

function savedAccount() {
  return {
    account_holder_type: 'individual',
    account_type: 'checking',
    bank_name: 'TEST BANK',
    financial_connections_account: null,
    fingerprint: 'Cq4f7Yx2LkT9bE1w',
    last4: '6789',
    networks: { preferred: 'ach', supported: ['ach'] },
    routing_number: '110000000',
    status_details: {},
  };
}

export function balanceTransaction(fields) {
  return {
    object: 'balance_transaction',
    available_on: fields.created + 2 * 86400,
    balance_type: 'payments',
    description: null,
    exchange_rate: null,
    fee: 0,
    fee_details: [],
    net: fields.amount - (fields.fee ?? 0),
    reporting_category: fields.type,
    status: 'pending',
    ...fields,
  };
}

export function refund(fields) {
  return {
    object: 'refund',
    balance_transaction: null,
    customer: null,
    customer_account: null,
    destination_details: { card: { type: 'refund', reference_status: 'pending',
      reference_type: 'acquirer_reference_number' }, type: 'card' },
    metadata: {},
    payment_intent: null,
    payment_method: null,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
    ...fields,
  };
}
