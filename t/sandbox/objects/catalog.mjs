/*
 * catalog.mjs - the shapes of products and prices.
 */

export function product(fields) {
  return {
    object: 'product',
    active: true,
    attributes: [],
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    type: 'service',
    unit_label: null,
    updated: fields.created,
    url: null,
    ...fields,
  };
}

export function price(fields) {
  return {
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    recurring: null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: fields.recurring ? 'recurring' : 'one_time',
    unit_amount_decimal: String(fields.unit_amount),
    ...fields,
  };
}

export function recurring({ interval, interval_count = 1 }) {
  return { interval, interval_count, meter: null, trial_period_days: null, usage_type: 'licensed' };
}

/** The older twin of a recurring price, still shown on subscription items. */
export function plan(of) {
  return {
    id: of.id,
    object: 'plan',
    active: of.active,
    amount: of.unit_amount,
    amount_decimal: of.unit_amount_decimal,
    billing_scheme: 'per_unit',
    created: of.created,
    currency: of.currency,
    interval: of.recurring.interval,
    interval_count: of.recurring.interval_count,
    livemode: of.livemode,
    metadata: {},
    meter: null,
    nickname: null,
    product: of.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}
