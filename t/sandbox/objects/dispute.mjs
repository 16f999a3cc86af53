/*
 * dispute.mjs - the shapes of a dispute and of an early warning.
 */

export const EVIDENCE = ['access_activity_log', 'billing_address', 'cancellation_policy',
  'cancellation_policy_disclosure', 'cancellation_rebuttal', 'customer_communication',
  'customer_email_address', 'customer_name', 'customer_purchase_ip', 'customer_signature',
  'duplicate_charge_documentation', 'duplicate_charge_explanation', 'duplicate_charge_id',
  'product_description', 'receipt', 'refund_policy', 'refund_policy_disclosure',
  'refund_refusal_explanation', 'service_date', 'service_documentation', 'shipping_address',
  'shipping_carrier', 'shipping_date', 'shipping_documentation', 'shipping_tracking_number',
  'uncategorized_file', 'uncategorized_text'];

const NETWORK_CODES = { fraudulent: '10.4', product_not_received: '13.1', duplicate: '12.6',
  subscription_canceled: '13.2', product_unacceptable: '13.3', credit_not_processed: '13.6' };

export function dispute({ brand = 'visa', ...fields }) {
  const inquiry = fields.status.startsWith('warning');
  const code = NETWORK_CODES[fields.reason] ?? '10.4';
  return {
    object: 'dispute',
    balance_transactions: [],
    enhanced_eligibility_types: [],
    evidence: {
      ...Object.fromEntries(EVIDENCE.map((name) => [name, null])), enhanced_evidence: {} },
    evidence_details: {
      due_by: fields.created + 9 * 86400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    is_charge_refundable: inquiry,
    livemode: false,
    metadata: {},
    network_reason_code: code,
    payment_intent: null,
    payment_method_details: {
      card: { brand, case_type: inquiry ? 'inquiry' : 'chargeback', network_reason_code: code,
        network: brand },
      type: 'card',
    },
    ...fields,
  };
}

export function fraudWarning(fields) {
  return {
    object: 'radar.early_fraud_warning',
    actionable: true,
    fraud_type: 'made_with_stolen_card',
    livemode: false,
    ...fields,
  };
}
