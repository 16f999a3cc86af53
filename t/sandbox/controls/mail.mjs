/*
 * controls/mail.mjs - the mailbox.
 */

export const routes = [
  { method: 'GET', path: '/sandbox/mail', run: list },
  { method: 'DELETE', path: '/sandbox/mail', run: clear },
  { method: 'GET', path: '/sandbox/mail/certificate', run: (world) => ({ text: world.certificate }) },
];

function list(world) {
  return world.mail.all().map((entry) => world.mail.read(entry));
}

function clear(world) {
  for (const { id } of world.mail.all()) {
    world.mail.remove(id);
  }
}
