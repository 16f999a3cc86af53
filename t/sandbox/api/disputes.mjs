/*
 * api/disputes.mjs - /v1/disputes, /v1/radar/early_fraud_warnings
 */

import { EVIDENCE } from '../objects/dispute.mjs';
import { badParam } from '../http/errors.mjs';
import { answerDispute, closeDispute } from '../world/disputes.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, flag, mergeMetadata, metadata, paging, shape, text } from './params.mjs';

const LONGEST_TOGETHER = 150_000;

const EVIDENCE_TYPES = {
  ...Object.fromEntries(EVIDENCE.map((name) => [name, clearable(text(20_000))])),
  enhanced_evidence: any,
};

export const routes = [
  { method: 'GET', path: '/v1/disputes', run: listBy('disputes', '/v1/disputes'),
    accepts: { ...paging, ...created, charge: text(), payment_intent: text() } },
  { method: 'GET', path: '/v1/disputes/:id', run: (world, { id }) => entryOf(world, id).object },
  { method: 'POST', path: '/v1/disputes/:id', run: update,
    accepts: { evidence: shape(EVIDENCE_TYPES), metadata: clearable(metadata), submit: flag } },
  { method: 'POST', path: '/v1/disputes/:id/close', run: close },
  { method: 'GET', path: '/v1/radar/early_fraud_warnings',
    run: listBy('warnings', '/v1/radar/early_fraud_warnings'),
    accepts: { ...paging, ...created, charge: text(), payment_intent: text() } },
  { method: 'GET', path: '/v1/radar/early_fraud_warnings/:id',
    run: (world, { id }) => find(world.warnings, id, 'early_fraud_warning').object },
];

const entryOf = (world, id) => find(world.disputes, id, 'dispute');

function listBy(table, url) {
  return (world, { params }) => {
    const { charge, payment_intent } = params;
    return listPage(world[table], params, { url, ...narrow({ charge, payment_intent }) });
  };
}

function update(world, { params, id }) {
  const entry = entryOf(world, id);
  const { evidence = {}, submit = true } = params;
  const length = Object.values(evidence)
    .reduce((sum, one) => sum + (typeof one === 'string' ? one.length : 0), 0);
  if (length > LONGEST_TOGETHER) {
    throw badParam(`The combined length of evidence is ${length}; at most ${LONGEST_TOGETHER} is allowed.`,
      undefined, 'evidence');
  }
  answerDispute(world, entry, { evidence, submit,
    metadata: mergeMetadata(entry.object.metadata, params.metadata) });
  return entry.object;
}

function close(world, { id }) {
  const entry = entryOf(world, id);
  closeDispute(world, entry, 'lost');
  return entry.object;
}
