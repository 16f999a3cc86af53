/*
 * certificate.mjs - a certificate of our own for STARTTLS, made at start.
 */

import { execFileSync } from 'node:child_process';

const ARGUMENTS = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
  '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
  '-keyout', '-', '-out', '-'];

/** {key, cert} as PEM; empty where there is no openssl: smtp-server brings a pair of its own. */
export function makeCertificate() {
  let text;
  try {
    text = execFileSync('openssl', ARGUMENTS, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return {};
  }
  const pick = (name) => new RegExp(`-----BEGIN ${name}-----[^-]+-----END ${name}-----\n`).exec(text)?.[0];
  return { key: pick('PRIVATE KEY'), cert: pick('CERTIFICATE') };
}
