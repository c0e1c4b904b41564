// The plain page: sign in with an API key, read conversations, reply, follow what happens.

import { Refused, follow, get, hasKey, newIdempotencyKey, patch, post, setKey } from './plain-api.js';
import { language, text } from './plain-text.js';
import { byId, facts, make, message, option, row, service } from './plain-view.js';

const STATES = ['open', 'assigned', 'waiting', 'closed'];
const MAX_FILE = 20000000;
// Several events of one mail come at once; the lists are read once for all of them.
const SETTLE = 250;

let session = null;        // AbortController of the signed-in time
let current = null;        // the conversation that is shown
let nextList = null;       // cursor of the list's next page
let nextMessages = null;   // cursor of the next page of messages
let pages = 1;             // how many pages of the list are shown
let attempt = null;        // { key, body } of a reply whose fate is unknown
let refresh = null;
const drafts = new Map();  // text of replies not yet sent, by conversation

document.documentElement.lang = language;
document.querySelectorAll('[data-text]').forEach(element => { element.textContent = text(element.dataset.text); });
byId('filter-state').append(option('', text('all')), ...STATES.map(state => option(state, text(state))));
byId('state').append(...STATES.map(state => option(state, text(state))));

const say = (id, words) => { byId(id).textContent = words; };
const failed = id => error => {
  if (error instanceof Refused && error.status === 401) signOut(text('keyRefused'));
  else if (error.name !== 'AbortError') say(id, error.message);
};

// ---- signing in --------------------------------------------------------------------------------

byId('key-form').addEventListener('submit', event => {
  event.preventDefault();
  setKey(byId('key').value);
  byId('key').value = '';
  signIn();
});
byId('sign-out').addEventListener('click', () => signOut(''));

async function signIn() {
  say('key-error', '');
  try {
    const { items } = await get('/v1/mailboxes');
    const boxes = byId('filter-mailbox');
    boxes.replaceChildren(option('', text('all')), ...items.map(box => option(box.id, box.address)));
    byId('sign-in').hidden = true;
    byId('desk').hidden = false;
    say('live', text('connecting'));
    session = new AbortController();
    follow(session.signal, onEvent, onState, () => signOut(text('keyRefused')));
    await showList();
    byId('list-pane').querySelector('#list button')?.focus();
  } catch (error) {
    const refused = error instanceof Refused && error.status === 401;
    signOut(refused ? text('keyRefused') : error.message);
  }
}

function signOut(reason) {
  session?.abort();
  session = current = attempt = null;
  drafts.clear();
  setKey('');
  byId('text').value = '';
  byId('list').replaceChildren();
  byId('messages').replaceChildren();
  byId('service-body').replaceChildren();
  byId('service').open = false;
  byId('shown').hidden = byId('desk').hidden = true;
  byId('nothing').hidden = byId('sign-in').hidden = false;
  say('key-error', reason);
  byId('key').focus();
}

// ---- the list ----------------------------------------------------------------------------------

function listPath(cursor) {
  const query = new URLSearchParams({ limit: '50' });
  if (byId('filter-state').value) query.set('state', byId('filter-state').value);
  if (byId('filter-mailbox').value) query.set('mailbox', byId('filter-mailbox').value);
  if (cursor) query.set('cursor', cursor);
  return `/v1/conversations?${query}`;
}

async function showList() {
  const filters = listPath(null);
  const rows = [];
  nextList = null;
  for (let page = 0; page < pages; page += 1) {
    const answer = await get(listPath(nextList));
    rows.push(...answer.items);
    nextList = answer.next_cursor;
    if (!nextList) break;
  }
  if (!session || filters !== listPath(null)) return;
  const focused = document.activeElement?.dataset?.id;
  const list = byId('list');
  list.replaceChildren(...rows.map(item => row(item, item.id === current?.id, () => show(item.id))));
  if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus();
  byId('list-empty').hidden = rows.length > 0;
  byId('more').hidden = !nextList;
}

const filtered = () => { pages = 1; showList().catch(failed('live')); };
byId('filter-state').addEventListener('change', filtered);
byId('filter-mailbox').addEventListener('change', filtered);
byId('more').addEventListener('click', () => { pages += 1; showList().catch(failed('live')); });

// ---- one conversation --------------------------------------------------------------------------

async function show(id) {
  if (current?.id !== id) {
    if (current) drafts.set(current.id, byId('text').value);
    current = { id };
    attempt = null;
    byId('text').value = drafts.get(id) || '';
    byId('files').value = '';
    byId('messages').replaceChildren();
    ['reply-error', 'reply-done', 'conversation-error', 'subject', 'facts'].forEach(place => say(place, ''));
    byId('list').querySelectorAll('button').forEach(button =>
      button.toggleAttribute('aria-current', false));
    byId('list').querySelector(`[data-id="${id}"]`)?.setAttribute('aria-current', 'true');
    byId('nothing').hidden = true;
    byId('shown').hidden = false;
  }
  try {
    await load(id);
    byId('conversation').focus();
  } catch (error) {
    failed('conversation-error')(error);
  }
}

/** Reads the conversation again; messages that are shown already and did not change stay as they are. */
async function load(id) {
  const conversation = await get(`/v1/conversations/${id}`);
  const page = await get(`/v1/conversations/${id}/messages?limit=200`);
  if (current?.id !== id) return;
  current = conversation;
  say('conversation-error', '');
  say('subject', conversation.subject || text('noSubject'));
  say('facts', facts(conversation));
  byId('state').value = conversation.state;
  const old = new Map([...byId('messages').children].map(item => [item.dataset.version, item]));
  byId('messages').replaceChildren(...page.items.map(item => {
    const version = `${item.id} ${item.state}`;
    if (old.has(version)) return old.get(version);
    const made = message(item, failed('conversation-error'));
    made.dataset.version = version;
    return made;
  }));
  nextMessages = page.next_cursor;
  byId('more-messages').hidden = !nextMessages;
}

byId('more-messages').addEventListener('click', async () => {
  const { id } = current;
  try {
    const page = await get(`/v1/conversations/${id}/messages?limit=200&cursor=${nextMessages}`);
    if (current?.id !== id) return;
    byId('messages').append(...page.items.map(item => message(item, failed('conversation-error'))));
    nextMessages = page.next_cursor;
    byId('more-messages').hidden = !nextMessages;
  } catch (error) {
    failed('conversation-error')(error);
  }
});

byId('state').addEventListener('change', async () => {
  try {
    await patch(`/v1/conversations/${current.id}`, { state: byId('state').value });
    say('conversation-error', '');
  } catch (error) {
    byId('state').value = current.state;
    failed('conversation-error')(error);
  }
});

// ---- replying ----------------------------------------------------------------------------------

async function base64(file) {
  const data = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (let at = 0; at < data.length; at += 32768) binary += String.fromCharCode(...data.subarray(at, at + 32768));
  return btoa(binary);
}

async function replyBody() {
  const files = [...byId('files').files];
  const large = files.find(file => file.size > MAX_FILE);
  if (large) throw new Error(text('tooLarge', large.name));
  const attachments = await Promise.all(files.map(async file => ({
    name: file.name, content_type: file.type.split(';')[0] || 'application/octet-stream', content_base64: await base64(file),
  })));
  return { text: byId('text').value, attachments };
}

byId('reply').addEventListener('submit', async event => {
  event.preventDefault();
  const { id } = current;
  say('reply-error', '');
  say('reply-done', text('sending'));
  byId('send').disabled = true;
  try {
    const body = await replyBody();
    // The same words are sent again under the same key: if the first attempt did arrive, nothing doubles.
    const same = attempt && attempt.id === id && JSON.stringify(attempt.body) === JSON.stringify(body);
    if (!same) attempt = { id, key: newIdempotencyKey(), body };
    await post(`/v1/conversations/${id}/replies`, body, { 'idempotency-key': attempt.key });
    attempt = null;
    drafts.delete(id);
    if (current?.id === id) {
      byId('text').value = '';
      byId('files').value = '';
      say('reply-done', text('sent'));
      await load(id);
    }
  } catch (error) {
    say('reply-done', '');
    failed('reply-error')(error);
  } finally {
    byId('send').disabled = false;
  }
});

// ---- the service and its events ----------------------------------------------------------------

async function showService() {
  if (!byId('service').open) return;
  const [mailboxes, totals, quarantine] =
    await Promise.all([get('/v1/mailboxes'), get('/v1/totals'), get('/v1/quarantine?limit=20')]);
  byId('service-body').replaceChildren(...service(mailboxes.items, totals, quarantine.items));
}
byId('service').addEventListener('toggle', () => showService().catch(failed('live')));

function onState(connected) {
  say('live', text(connected ? 'connected' : 'lost'));
  // What happened while the connection was away is in the lists.
  if (connected) later(true);
}

let touched = false;
function onEvent(event) {
  if (event.kind === 'message.received' && event.conversation_id === current?.id) {
    say('live', text('news', current.subject || text('noSubject')));
  }
  later(event.conversation_id === current?.id);
}

function later(ofCurrent) {
  touched = touched || ofCurrent;
  refresh ??= setTimeout(async () => {
    const reload = touched && current;
    refresh = null;
    touched = false;
    if (!session) return;
    try {
      await Promise.all([showList(), showService(), reload ? load(current.id) : null]);
    } catch (error) {
      failed('live')(error);
    }
  }, SETTLE);
}

if (hasKey()) signIn(); else { byId('sign-in').hidden = false; byId('key').focus(); }
