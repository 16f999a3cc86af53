/*
 * hosted.mjs - the payment page that the customer is sent to.
 */

import { readForm } from '../http/form.mjs';
import { findCard } from '../world/cards.mjs';
import { answerChallenge, isChallenged, pay, recoverSession } from '../world/checkout.mjs';
import { confirm, failChallenge } from '../world/payments.mjs';
import { payDue } from '../world/subscriptions.mjs';
import { amountText, escape, page, redirect } from './html.mjs';

export const routes = [
  { method: 'GET', path: '/pay/:id', run: show },
  { method: 'POST', path: '/pay/:id', run: submit },
  { method: 'GET', path: '/pay/:id/authenticate', run: showChallenge },
  { method: 'POST', path: '/pay/:id/authenticate', run: submitChallenge },
  { method: 'GET', path: '/authenticate/:id', run: showBank },
  { method: 'POST', path: '/authenticate/:id', run: submitBank },
  { method: 'GET', path: '/recover/:id', run: recover },
  { method: 'GET', path: '/receipts/:id', run: receipt },
  { method: 'GET', path: '/invoices/:id', run: showInvoice },
  { method: 'POST', path: '/invoices/:id', run: submitInvoice },
];

function show(world, { id }) {
  const entry = world.sessions.entry(id);
  return closed(entry) ?? form(world, entry, {});
}

/** The page that stands where nothing can be paid (any more), or null. */
function closed(entry) {
  if (!entry) {
    return page(404, 'Page not found', '<p>There is no such payment page.</p>');
  }
  if (entry.object.status === 'complete') {
    return page(409, 'You are all done here', '<p>This payment has been made already. '
      + 'Nothing was charged again.</p>');
  }
  if (entry.object.status === 'expired') {
    return page(410, 'This page has expired', '<p>Nothing was charged. Go back to the shop to '
      + 'start again.</p>');
  }
  return null;
}

function form(world, entry, { error, typed = {}, status = 200 }) {
  const session = entry.object;
  const rows = (entry.hidden.items ?? []).map((item) => (
    `<li>${escape(item.description)}: ${amountText(item.amount_total, item.currency)}</li>`));
  const title = `Pay ${amountText(session.amount_total, session.currency)}`;
  const notice = error ? `<p class="note" role="alert">${escape(error)}</p>` : '';
  const cancel = session.cancel_url
    ? `<p><a href="${escape(session.cancel_url)}">Back to the shop without paying</a></p>` : '';
  return page(status, error ? `Error: ${title}` : title, `${notice}
<ul>${rows.join('')}</ul>
<form method="post" action="/pay/${escape(session.id)}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="email"
 value="${escape(typed.email ?? session.customer_email)}">
<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" required
 value="${escape(typed.card ?? '')}" aria-describedby="card-help">
<p id="card-help">A test card, like 4242 4242 4242 4242; "delayed" is a bank debit that takes days.</p>
<label for="name">Name on card</label>
<input id="name" name="name" autocomplete="cc-name" value="${escape(typed.name ?? '')}">
<button type="submit">Pay</button>
</form>
${cancel}`);
}

function submit(world, { id, request }) {
  const entry = world.sessions.entry(id);
  const refusal = closed(entry);
  if (refusal) {
    return refusal;
  }
  const typed = readForm(request.body.toString('utf8'));
  request.params = { ...typed, card: undefined };
  const card = findCard(typed.method === 'us_bank_account' ? 'delayed' : typed.card);
  if (!card && entry.object.amount_total > 0) {
    return form(world, entry, { typed, status: 402, error: 'Your card number is not a test card.' });
  }
  if (card?.delayed && entry.object.mode === 'subscription') {
    return form(world, entry, { typed, status: 402,
      error: 'This page takes bank debits for single payments only.' });
  }
  return outcome(world, entry, pay(world, entry, { card, typed }), typed);
}

/** Where an attempt leads: away, to the bank's own page, or back to the form. */
function outcome(world, entry, result, typed) {
  switch (result.state) {
  case 'declined':
    return form(world, entry, { typed, status: 402, error: result.error.message });
  case 'requires_action':
    return redirect(`/pay/${entry.id}/authenticate`);
  default:
    return {
      ...redirect(entry.object.success_url.replaceAll('{CHECKOUT_SESSION_ID}', entry.id)),
      wait: () => world.delivery.firstAnswer(result.event),
    };
  }
}

function showChallenge(world, { id }) {
  const entry = world.sessions.entry(id);
  const refusal = closed(entry);
  if (refusal || !isChallenged(world, entry)) {
    return refusal ?? redirect(`/pay/${id}`);
  }
  return bankPage(entry.object.amount_total, entry.object.currency, `/pay/${id}/authenticate`);
}

const bankPage = (amount, currency, action) => page(200, 'Your bank asks: is this you?', `
<p>${amountText(amount, currency)}</p>
<form method="post" action="${escape(action)}">
<button name="outcome" value="approve">Approve the payment</button>
<button name="outcome" value="fail">Refuse it</button>
</form>`);

/* The bank's own page for an intent without a payment page of ours. */
function showBank(world, { id }) {
  const entry = world.intents.entry(id);
  return entry?.object.status === 'requires_action'
    ? bankPage(entry.object.amount, entry.object.currency, `/authenticate/${id}`) : closed(undefined);
}

function submitBank(world, { id, request }) {
  const entry = world.intents.entry(id);
  if (entry?.object.status !== 'requires_action') {
    return closed(undefined);
  }
  request.params = readForm(request.body.toString('utf8'));
  const { returnUrl } = entry.hidden;
  const good = answerBank(world, entry, request.params.outcome === 'approve');
  if (!returnUrl) {
    return page(200, good ? 'Approved' : 'Refused', '<p>You may close this page.</p>');
  }
  const back = new URL(returnUrl);
  back.searchParams.set('payment_intent', id);
  back.searchParams.set('payment_intent_client_secret', entry.object.client_secret);
  back.searchParams.set('redirect_status', good ? 'succeeded' : 'failed');
  return redirect(back.href);
}

/* Whether the bank pays, having seen its customer. */
function answerBank(world, entry, approved) {
  const { card, billing } = entry.hidden.challenge;
  const { state } = approved ? confirm(world, entry, { card, billing, approved })
    : failChallenge(world, entry);
  return state !== 'declined';
}

function submitChallenge(world, { id, request }) {
  const entry = world.sessions.entry(id);
  const refusal = closed(entry);
  if (refusal || !isChallenged(world, entry)) {
    return refusal ?? redirect(`/pay/${id}`);
  }
  request.params = readForm(request.body.toString('utf8'));
  return outcome(world, entry, answerChallenge(world, entry, request.params.outcome === 'approve'), {});
}

function recover(world, { id }) {
  const entry = world.sessions.entry(id);
  const until = entry?.object.after_expiration?.recovery?.expires_at;
  if (!until || until < world.clock.now()) {
    return closed(undefined);
  }
  return redirect(recoverSession(world, entry).object.url);
}

function receipt(world, { id }) {
  const charge = world.charges.get(id);
  if (!charge) {
    return closed(undefined);
  }
  return page(200, 'Receipt', `<p>${amountText(charge.amount, charge.currency)}, charge
<code>${escape(id)}</code>, ${escape(charge.calculated_statement_descriptor)}.</p>`);
}

/** An invoice that is due can be paid here by hand, with any card. */
function showInvoice(world, { id, error, status = 200 }) {
  const invoice = world.invoices.get(id);
  if (!invoice) {
    return closed(undefined);
  }
  if (invoice.status !== 'open') {
    return page(200, `Invoice ${invoice.number}`, `<p>${escape(invoice.status)}.</p>`);
  }
  return page(status, `Invoice ${invoice.number}`, `
${error ? `<p class="note" role="alert">${escape(error)}</p>` : ''}
<form method="post" action="/invoices/${escape(id)}">
<p>${amountText(invoice.amount_due, invoice.currency)} are due.</p>
<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" required>
<button type="submit">Pay</button>
</form>`);
}

function submitInvoice(world, { id, request }) {
  const entry = world.invoices.entry(id);
  if (entry?.object.status !== 'open') {
    return showInvoice(world, { id });
  }
  const { card } = readForm(request.body.toString('utf8'));
  request.params = {};
  return findCard(card) && payDue(world, entry, findCard(card)) ? redirect(`/invoices/${id}`)
    : showInvoice(world, { id, status: 402, error: 'The card was not accepted.' });
}
