// Makes elements of what the API gives. Everything is set as text; the HTML of a mail goes into a frame
// that runs nothing, has no origin and loads nothing.

import { bytes } from './plain-api.js';
import { text, time } from './plain-text.js';

export const byId = id => document.getElementById(id);

/** An element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(child => child !== null));
  return element;
}

export function option(value, label) {
  return make('option', { value, textContent: label });
}

const shown = party => (party.name ? `${party.name} <${party.address}>` : party.address);
const parties = list => list.map(shown).join(', ');

export function row(conversation, current, onOpen) {
  const contact = conversation.contact.name || conversation.contact.address;
  const button = make('button', { type: 'button', onclick: onOpen },
    make('span', { className: 'subject', textContent: conversation.subject || text('noSubject') }),
    make('span', { className: 'who small', textContent: contact }),
    make('span', { className: 'small',
      textContent: `${text(conversation.state)} · ${conversation.queue} · ${time(conversation.last_activity_at)}` }));
  button.dataset.id = conversation.id;
  if (current) button.setAttribute('aria-current', 'true');
  return make('li', {}, button);
}

export function facts(conversation) {
  return `${shown(conversation.contact)} · ${text('queue')}: ${conversation.queue} · ` +
    `${text('priority')}: ${conversation.priority} · ${conversation.message_count} ${text('messages')}`;
}

export function message(item, onError) {
  const state = item.state === 'sent' ? text('sentState') : text(item.state);
  const line = (name, value) => (value ? make('p', { textContent: `${text(name)}: ${value}` }) : null);
  const reason = item.threading ? `${item.threading.rule} (${item.threading.evidence})` : '';
  const machine = item.verdict && item.verdict.author !== 'person'
    ? `${item.verdict.author} (${item.verdict.reasons.join('; ')})` : '';
  return make('li', { className: item.direction },
    make('p', {}, make('strong', { textContent: parties(item.from) }),
      ` · ${time(item.sent_at || item.received_at)} · ${state}`),
    item.state_reason ? make('p', { className: 'error', textContent: item.state_reason }) : null,
    line('to', parties(item.to)), line('cc', parties(item.cc)),
    item.encrypted ? make('p', { className: 'error', textContent: text('encrypted', item.encrypted.toUpperCase()) }) : null,
    item.signed ? make('p', { className: 'small', textContent: text('signed', item.signed.toUpperCase()) }) : null,
    item.meeting ? line('meeting', meeting(item.meeting)) : null,
    content(item),
    attachments(item, onError),
    make('div', { className: 'small' },
      line('machine', machine), line('why', reason), line('deviations', item.deviations.join('; ')),
      item.has_mime ? download(text('raw'), `/v1/messages/${item.id}/mime`, `${item.id}.eml`, onError) : null));
}

/** What, when and where; the zone's own time, for that is what the invitation says. */
function meeting(item) {
  const clock = at => `${at.local.slice(0, 16).replace('T', ' ')} ${at.time_zone || ''}`.trim();
  const when = at => at && (at.whole_day ? at.local.slice(0, 10) : clock(at));
  const times = [when(item.start), when(item.end)].filter(Boolean).join(' – ');
  return [item.method, item.summary, times, item.location].filter(Boolean).join(' · ');
}

/** New text first, signatures with it, history folded; what the mail looked like is one click away. */
function content(item) {
  const parts = item.html ? item.html_parts : item.text_parts;
  const history = parts.filter(part => part.kind === 'quoted');
  const rest = parts.filter(part => part.kind !== 'quoted');
  const folded = (name, ...inside) => make('details', {}, make('summary', { textContent: text(name) }), ...inside);
  const joined = list => list.map(part => part.content).join('');
  const pre = part => make('pre', { textContent: part.content, className: part.kind });
  const show = list => (item.html ? [frame(joined(list))] : list.map(pre));
  return make('div', {}, ...show(rest),
    history.length > 0 ? folded('earlier', ...show(history)) : null,
    history.length > 0 ? folded('whole', ...show([{ kind: 'new', content: item.html || item.text }])) : null,
    item.html ? folded('showText', ...item.text_parts.map(pre)) : null);
}

function frame(html) {
  const element = make('iframe', { title: text('html'), referrerPolicy: 'no-referrer' });
  element.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
  element.srcdoc = `<!doctype html><meta charset="utf-8"><base target="_blank">${html}`;
  return element;
}

function attachments(item, onError) {
  if (item.attachments.length === 0) return null;
  const files = item.attachments.map(file => make('li', {},
    download(`${file.name} (${size(file.size)})`, `/v1/messages/${item.id}/attachments/${file.id}`, file.name, onError)));
  return make('div', {}, make('p', { textContent: text('attachments') }), make('ul', {}, ...files));
}

function size(count) {
  const unit = count < 1024 ? [1, 'B'] : count < 1048576 ? [1024, 'KiB'] : [1048576, 'MiB'];
  return `${(count / unit[0]).toFixed(count < 1024 ? 0 : 1)} ${unit[1]}`;
}

/** A button that fetches bytes with the key and hands them to the browser as a file. */
function download(label, path, name, onError) {
  return make('button', { type: 'button', textContent: label, onclick: async () => {
    try {
      const url = URL.createObjectURL(await bytes(path));
      make('a', { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
    } catch (error) {
      onError(error);
    }
  } });
}

export function service(mailboxes, totals, quarantine) {
  const folder = status => {
    const read = status.synced_at ? text('readAt', time(status.synced_at)) : text('neverSynced');
    const woken = text(status.notified ? 'notified' : 'polled');
    const failing = status.failures > 0 ? ` · ${text('failing', status.failures, status.last_error)}` : '';
    return `${status.name}: ${read} · ${woken}${failing}`;
  };
  const boxes = mailboxes.map(mailbox => make('li', { textContent: `${mailbox.address} · ` +
    (mailbox.folders.map(folder).join(' · ') || text('notFollowed')) }));
  const aside = quarantine.map(receipt =>
    make('li', { textContent: `${time(receipt.first_seen_at)} · ${receipt.quarantined}` }));
  return [make('ul', {}, ...boxes),
    make('p', { textContent: text('outbox', totals.outbox_pending, totals.outbox_dead) }),
    make('p', { textContent: `${text('quarantined')}: ${totals.quarantined}` }), make('ul', {}, ...aside)];
}
