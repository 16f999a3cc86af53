/*
 * subpay.js - small comforts. Every page is complete without it.
 *
 * Times in the reader's own zone, the waiting page that hears the answer by
 * itself, "Show" beside a password, focus on what needs another look, and the
 * service worker that stands in when no server answers.
 */
'use strict';

const base = document.body.dataset.base;

// --- times ------------------------------------------------------------------

function localise(root) {
  // The reader's own region, as long as it is the language of the page.
  const { lang } = document.documentElement;
  const own = navigator.language.startsWith(lang) ? navigator.language : lang;
  for (const time of root.querySelectorAll('time[datetime*="T"]')) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    // Not in a receipt: it is printed and read on another day.
    const today = when.toDateString() === new Date().toDateString() && !time.closest('dl');
    const day = today ? {} : { day: 'numeric', month: 'long', year: 'numeric' };
    time.textContent = new Intl.DateTimeFormat(own, {
      ...day, hour: 'numeric', minute: '2-digit', timeZoneName: 'short',
    }).format(when);
  }
}

// --- waiting for the provider's answer --------------------------------------

// Seconds since the page was drawn: ask every 2 s, then 5, then 15; then stop,
// because the mail comes anyway. After 30 s the words change once.
const LATE_S = 30;
const END_S = 180;

function pauseAfter(seconds) {
  if (seconds < LATE_S) return 2;
  return seconds < 60 ? 5 : 15;
}

// The server drew every text; here one of them takes the place of another.
function showWords(status, name) {
  const words = document.querySelector(`template[data-when="${name}"]`);
  if (!words) return;
  const content = words.content.cloneNode(true);
  localise(content);
  status.replaceChildren(content);
  document.title = words.dataset.title;
}

async function askPage(url) {
  try {
    const answer = await fetch(url, {
      cache: 'no-store', headers: { Accept: 'application/json' },
    });
    return answer.ok ? (await answer.json()).page : 'checking';
  } catch {
    return 'checking'; // no answer says nothing about the money
  }
}

async function watch(status) {
  const start = Date.now();
  const elapsed = () => (Date.now() - start) / 1000;
  let late = 'late' in status.dataset;
  while (elapsed() < END_S) {
    await new Promise((resolve) => setTimeout(resolve, pauseAfter(elapsed()) * 1000));
    const page = await askPage(status.dataset.status);
    if (page !== 'checking' && page !== 'late') {
      showWords(status, page === 'paid' ? 'paid' : 'other');
      return;
    }
    if (!late && elapsed() >= LATE_S) {
      late = true;
      showWords(status, 'late');
    }
  }
}

// --- the page that stands in for a server that does not answer ---------------

// The address that failed is still in the address bar; it names the reference.
function showReference(place) {
  const reference = new URLSearchParams(location.search).get('r') || '';
  if (/^SP-[0-9A-Z]{4}-[0-9A-Z]{4}$/.test(reference)) {
    place.querySelector('.reference').textContent = reference;
    place.hidden = false;
  }
}

async function isBack() {
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    return answer.status < 500;
  } catch {
    return false;
  }
}

async function waitForServer() {
  // Somebody looks at the page itself: the server answers, nothing was missed.
  if (location.pathname === `${base}/offline`) return;
  for (let asked = 0; !(await isBack()); asked += 1) {
    await new Promise((resolve) => setTimeout(resolve, asked < 120 ? 3000 : 15000));
  }
  location.reload();
}

// --- forms --------------------------------------------------------------------

function addShowButton(button) {
  const input = document.getElementById(button.dataset.show);
  const spoken = document.getElementById(`${input.id}-shown`);
  button.hidden = false;
  button.addEventListener('click', () => {
    const show = input.type === 'password';
    input.type = show ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(show));
    spoken.textContent = show ? button.dataset.on : button.dataset.off;
  });
}

// A second press would send the form again; the server bears it, people worry.
function sendOnce(form) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = '1';
  });
  addEventListener('pageshow', () => { delete form.dataset.sent; });
}

// --- service worker -----------------------------------------------------------

async function keepWorker() {
  if (!('serviceWorker' in navigator)) return;
  try {
    if (document.body.dataset.worker === 'off') {
      const known = await navigator.serviceWorker.getRegistration(`${base}/`);
      if (known) await known.unregister();
    } else {
      await navigator.serviceWorker.register(`${base}/sw.js`);
    }
  } catch {
    // Not allowed here, or no server: the pages work without it.
  }
}

localise(document);
document.querySelectorAll('[data-show]').forEach(addShowButton);
document.querySelectorAll('form[method="post"]').forEach(sendOnce);
document.getElementById('problems')?.focus();
document.querySelectorAll('#status[data-status]').forEach(watch);
document.querySelectorAll('[data-reference-place]').forEach(showReference);
if (document.querySelector('[data-wait-for-server]')) waitForServer();
keepWorker();
