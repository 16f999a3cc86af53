/*
 * matrix.js - each fault that is promised to be survived, and what shows it.
 *
 * shown: test files, or "kills: <flow>" for kills.js. A row without any is told as such.
 */
'use strict';

const S = 't/scenario';

module.exports = [
  { fault: 'httpd child killed', seen: 'the service worker\'s page, not a blank one; another road heals', shown: ['kills: checkout', 'kills: return', 'kills: webhook', 'kills: support', 't/browser/blank_page.t'] },
  { fault: 'parent killed; graceful restart; stop', seen: 'no orphan worker, never two', shown: ['t/worker.t', `${S}/crash.t`, 't/outbox.t'] },
  { fault: 'worker killed', seen: 'replaced; its work is repeated', shown: ['kills: mail', 'kills: reconcile', 'kills: refund', 't/worker.t'] },
  { fault: 'worker paused and resumed', seen: 'its lease has passed to another: what it reports is refused', shown: ['t/faults/zombie.t', `${S}/fenced.t`, 't/sql/outbox.sql', 't/chaos.t'] },
  { fault: 'backend killed, lock timeout, deadlock', seen: 'bounded retry, then 503', shown: [`${S}/database_down.t`, `${S}/crowded.t`, 't/sql/races.sql'] },
  { fault: 'connection lost in COMMIT', seen: 'outcome asked for, never assumed', shown: [`${S}/commit_lost.t`] },
  { fault: 'database down', seen: 'checkout refuses, webhook 503, return page names the reference', shown: [`${S}/database_down.t`] },
  { fault: 'database full', seen: 'as down', shown: [`${S}/database_full.t`] },
  { fault: 'database hangs', seen: 'requests end; the next ones find the other server', shown: [`${S}/several_machines.t`] },
  { fault: 'database server dies, its standby takes over', seen: 'no completed payment lost; the leader moves', shown: [`${S}/several_machines.t`] },
  { fault: 'failover, newest commits lost', seen: 'fetched again from the provider; no decision on a standby', shown: [`${S}/order_gone.t`, `${S}/several_machines.t`] },
  { fault: 'pool exhausted', seen: '503 with Retry-After; a reserve for webhooks', shown: [`${S}/crowded.t`] },
  { fault: 'provider slow', seen: 'unknown; no transaction is open meanwhile', shown: [`${S}/reply_lost.t`, 't/chaos.t'] },
  { fault: '429', seen: 'Retry-After obeyed; the sweep goes on at its cursor', shown: ['t/reconcile.t'] },
  { fault: '5xx, reset, truncated or non-JSON reply', seen: 'unknown; the same key', shown: [`${S}/reply_lost.t`] },
  { fault: 'reply lost after the charge', seen: 'never a second charge, never "failed"', shown: [`${S}/reply_lost.t`, `${S}/lost_ids.t`] },
  { fault: 'mail server down, 4xx, 5xx, slow, tarpit, dies after DATA', seen: 'back-off; ticket for a hard bounce; others not held up', shown: ['t/outbox.t', `${S}/mail_in_hand.t`, 't/faults/tarpit.t'] },
  { fault: 'our clock off by 10 min, or stepping', seen: 'database time decides; stale but valid signatures are told', shown: [`${S}/clock_off.t`, `${S}/inputs.t`] },
  { fault: 'webhook twice, many at once, reordered, late', seen: 'one effect', shown: [`${S}/disorder.t`, `${S}/races.t`] },
  { fault: 'webhook forged, stale, wrong mode', seen: '400, or ignored; nothing changes', shown: [`${S}/inputs.t`, `${S}/not_ours.t`] },
  { fault: 'webhooks off for a week', seen: 'other roads carry all', shown: [`${S}/no_webhooks.t`, 't/reconcile.t'] },
  { fault: 'one unreadable object among 100 listed', seen: '99 settle; one ticket', shown: [`${S}/poison.t`] },
  { fault: 'two nodes, all roads, one order', seen: 'one winner', shown: [`${S}/races.t`, 't/chaos.t', 't/worker.t'] },
  { fault: 'support double-clicks; two people; stale tab', seen: 'one action', shown: [`${S}/admin.t`, 't/sql/desk_act.sql', 'kills: support'] },
  { fault: 'refund while settling; refund while disputed', seen: 'serialised on the order', shown: ['t/sql/money_back.sql', `${S}/admin_refund.t`, 'kills: refund'] },
  { fault: 'customer writes while recovery runs', seen: 'one answer', shown: [`${S}/support.t`, `${S}/still_checking.t`] },
  { fault: 'e-mail address missing or bouncing', seen: 'access behind the cookie; ticket', shown: [`${S}/access.t`, 't/outbox.t'] },
  { fault: 'migration under traffic', seen: 'old and new code both keep the invariants; no request is lost', shown: ['t/upgrade.t', 't/migrate_killed.t'] },
];
