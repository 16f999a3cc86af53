'use strict';
// Draws every sample page and mail in Chromium, looks at it with axe, and
// writes pictures. Needs no httpd: the pages come from t/preview/preview.c.
//
//   node t/preview/shots.js PREVIEW-BINARY OUTPUT-FOLDER [language] [name-part]

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { common, pages, mails } = require('./models.js');

const [preview, folder, lang = 'en', part = ''] = process.argv.slice(2);
const htdocs = path.join(__dirname, '../../htdocs');
const csp = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
  + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; worker-src 'self'";
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const draw = (kind, name, model) => execFileSync(
  preview, [path.join(htdocs, 'templates'), lang, kind, name],
  { input: JSON.stringify({ ...common, ...model }) }).toString();

const drawn = new Map();
for (const [name, [page, model]] of Object.entries(pages)) {
  drawn.set(`/${name}`, { page: true, html: draw('page', page, model) });
}
for (const [name, model] of Object.entries(mails)) {
  const mail = JSON.parse(draw('mail', name.split('-')[0], model));
  drawn.set(`/mail-${name}`, { html: mail.html });
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `mail-${name}.txt`), `${mail.subject}\n\n${mail.text}`);
}
for (const file of ['problem.html']) {
  if (fs.existsSync(path.join(htdocs, file))) {
    drawn.set(`/${file}`, { html: fs.readFileSync(path.join(htdocs, file), 'utf8') });
  }
}

const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
const server = http.createServer((request, response) => {
  const url = request.url.split('?')[0];
  const known = drawn.get(url);
  if (url === '/favicon.ico') {
    response.statusCode = 204;
    response.end();
    return;
  }
  if (url === '/offline' && request.headers['sec-fetch-mode'] !== 'navigate') {
    request.socket.destroy(); // its script looks whether the server is back
  } else if (known) {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (known.page) response.setHeader('Content-Security-Policy', csp);
    response.end(known.html);
  } else if (url === '/status') {
    response.setHeader('Content-Type', 'application/json');
    response.end('{"page":"checking"}');
  } else if (url.startsWith('/assets/')) {
    response.setHeader('Content-Type', types[url.split('.').pop()]);
    response.end(fs.readFileSync(path.join(htdocs, path.normalize(url))));
  } else {
    response.statusCode = 404;
    response.end();
  }
});

async function look(browser, origin, name, width, scheme) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, colorScheme: scheme, serviceWorkers: 'block',
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    const expected = name === '/offline' && message.text().includes('ERR_EMPTY_RESPONSE');
    if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(origin + name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wide) complaints.push('scrolls sideways');
  await page.screenshot({ path: path.join(folder, `${name.slice(1)}-${width}-${scheme}.png`), fullPage: true });
  const result = await page.evaluate(`(() => { ${axe}; return axe.run({runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}); })()`);
  for (const violation of result.violations) {
    complaints.push(`${violation.id}: ${violation.help} ${violation.nodes[0].html.slice(0, 200)}`);
  }
  await context.close();
  return complaints;
}

async function main() {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  let bad = 0;
  for (const name of drawn.keys()) {
    if (!name.includes(part)) continue;
    for (const [width, scheme] of [[320, 'dark'], [390, 'light'], [1280, 'light'], [1280, 'dark']]) {
      for (const complaint of await look(browser, origin, name, width, scheme)) {
        console.log(`${name} ${width} ${scheme}: ${complaint}`);
        bad += 1;
      }
    }
  }
  await browser.close();
  server.close();
  console.log(`${drawn.size} pages and mails, ${bad} complaints`);
  process.exitCode = bad ? 1 : 0;
}

main();
