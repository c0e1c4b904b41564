// Talks to the API: JSON, bytes, and the event stream. The key stays in this tab.

import { text } from './plain-text.js';

const STORED = 'guichet-key';
let key = sessionStorage.getItem(STORED) || '';

export const hasKey = () => key !== '';
export function setKey(value) {
  key = value.trim();
  if (key) sessionStorage.setItem(STORED, key); else sessionStorage.removeItem(STORED);
}

/** An answer that is no success. `status` is 0 if none came. */
export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function send(path, options = {}) {
  const headers = { authorization: `Bearer ${key}`, ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'omit' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refused(0, text('unreachable'));
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  throw new Refused(answer.status, problem ? `${problem.title}: ${problem.detail}` : `HTTP ${answer.status}`);
}

export const get = async path => (await send(path)).json();
export const bytes = async path => (await send(path)).blob();

const withBody = (method, body, headers) =>
  ({ method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });

export const patch = async (path, body) => (await send(path, withBody('PATCH', body))).json();
export const post = async (path, body, headers) => (await send(path, withBody('POST', body, headers))).json();

/** A random name for one request, so that its repetition does nothing twice. */
export function newIdempotencyKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, byte => byte.toString(16).padStart(2, '0')).join('');
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
// The server sends a comment every 15 s; three missed ones mean that the connection is dead.
const SILENCE = 50000;

/**
 * Follows the events until `signal` is aborted, and connects again where it was cut off.
 * `onEvent(event)` is called for each event once, `onState(connected)` when the connection comes or goes,
 * `onRefused()` when the key is no longer valid.
 */
export async function follow(signal, onEvent, onState, onRefused) {
  let last = '';
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    signal.addEventListener('abort', abort);
    try {
      const headers = last === '' ? {} : { 'last-event-id': last };
      const answer = await send('/v1/events', { headers, signal: attempt.signal });
      onState(true);
      pause = FIRST_PAUSE;
      await read(answer.body.getReader(), attempt, frame => {
        if (frame.id !== undefined) last = frame.id;
        if (frame.data !== undefined) onEvent(JSON.parse(frame.data));
      });
    } catch (error) {
      if (error instanceof Refused && error.status === 401) { onRefused(); return; }
      // The place is unknown to the server, for example after a restore: begin with what comes.
      if (error instanceof Refused && error.status === 400) last = '';
    } finally {
      signal.removeEventListener('abort', abort);
    }
    if (signal.aborted) return;
    onState(false);
    await new Promise(done => setTimeout(done, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

async function read(reader, attempt, onFrame) {
  const decoder = new TextDecoder();
  let rest = '';
  let watch;
  const alive = () => { clearTimeout(watch); watch = setTimeout(() => attempt.abort(), SILENCE); };
  alive();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      rest += decoder.decode(value, { stream: true });
      const frames = rest.split('\n\n');
      rest = frames.pop();
      frames.forEach(frame => onFrame(parse(frame)));
    }
  } finally {
    clearTimeout(watch);
  }
}

function parse(frame) {
  const found = {};
  for (const line of frame.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    found[name] = name === 'data' && found.data !== undefined ? `${found.data}\n${value}` : value;
  }
  return found;
}
