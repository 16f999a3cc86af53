/*
 * lib.js - what the benchmarks share: rounds in turn, medians, one table.
 *
 * The machine is noisy, so nothing is compared with a number from another day:
 * the sides of a ratio take turns in one run, and medians are quoted.
 */
'use strict';
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const run = promisify(execFile);

const sorted = (values) => [...values].sort((a, b) => a - b);

function median(values) {
  const all = sorted(values);
  return (all[Math.floor((all.length - 1) / 2)] + all[Math.ceil((all.length - 1) / 2)]) / 2;
}

const spread = (values) => `${sorted(values)[0].toFixed(2)}..${sorted(values).at(-1).toFixed(2)}`;

/* One line of the table: what was measured, the median, its spread, the goal. */
function line(what, values, { unit = '', goal = '', digits = 2 } = {}) {
  const shown = median(values).toFixed(digits) + unit;
  console.log(`${what.padEnd(58)} ${shown.padStart(12)}  ${spread(values).padEnd(18)} ${goal}`);
}

/* CPU seconds of processes so far, by /proc. */
function cpu(pids) {
  const fs = require('node:fs');
  return pids.reduce((sum, pid) => {
    try {
      const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return sum;
    }
  }, 0);
}

/* Proportional resident memory in MiB: shared pages count once over all processes. */
function memory(pids) {
  const fs = require('node:fs');
  return pids.reduce((sum, pid) => {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return sum + Number(/^Pss:\s+(\d+)/m.exec(text)[1]) / 1024;
  }, 0);
}

module.exports = { run, median, line, cpu, memory };
