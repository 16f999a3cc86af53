/*
 * html.mjs - a small page, readable by everybody.
 */

import { isHundreds } from '../world/money.mjs';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (sign) => ESCAPES[sign]);

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 30rem; padding: 1.5rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input, select { box-sizing: border-box; font: inherit; padding: .5rem; width: 100%; }
button { font: inherit; font-weight: 600; margin-top: 1.5rem; min-height: 2.75rem; padding: 0 1.25rem; }
.note { border-left: .25rem solid; padding-left: .75rem; }
`;

/** A reply that is a page; `main` is HTML, `title` is text. */
export function page(status, title, main) {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${main}
</main>
</body>
</html>
`,
  };
}

export const redirect = (location) => ({
  status: 303, headers: { Location: location, 'Cache-Control': 'no-store' }, body: '' });

/** 24900 "usd" is "249.00 USD". */
export function amountText(amount, currency) {
  const { maximumFractionDigits: digits } = new Intl.NumberFormat('en',
    { style: 'currency', currency }).resolvedOptions();
  const scale = isHundreds(currency) ? 100 : 10 ** digits;
  return `${(amount / scale).toFixed(digits)} ${currency.toUpperCase()}`;
}
