// Runs the checks of one client and reports each as one line of JSON on stdout.
//
// Owns the form of the report, which `cargo xtask conformance` reads, and what the scripts share: the tenant they are
// given, a person at the sign-in page, a service that is notified, the control interface. Never touches a client's
// code.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
/** A state that is waited for comes within this time or not at all. */
const PATIENCE_MS = 30_000;

export const tenant = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const checks = [];

export function check(name, body) {
  checks.push({ name, body });
}

export async function run() {
  for (const { name, body } of checks) {
    const line = { check: name, result: 'ok' };
    try {
      await body();
    } catch (error) {
      const own = (error?.stack ?? '').split('\n').find((frame) => frame.includes(`${here}/client_`));
      const at = own?.match(/(client_[^)]*):\d+\)?$/)?.[1] ?? '?';
      Object.assign(line, { result: 'failed', reason: `${at}: ${error?.name}: ${error?.message}`.slice(0, 2000) });
      if (process.env.CONFORMANCE_TRACE) console.error(error);
    }
    console.log(JSON.stringify(line));
  }
  process.exit(0);
}

export function equal(found, wanted) {
  if (!isDeepStrictEqual(found, wanted)) {
    throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
  }
}

export function ensure(condition, text) {
  if (!condition) throw new Error(text);
}

/** The error that the promise is rejected with. */
export async function refusal(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it was accepted: ${JSON.stringify(value)}`);
}

/** Waits until `look` gives something true, and gives that. */
export async function eventually(look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    ensure(Date.now() < end, `${look} did not come true`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A person signs in, in a process of their own; gives the address where the browser would go next. */
export async function person(url, { code, action = 'accept' } = {}) {
  const { name, password } = tenant.owner;
  const program = path.join(process.env.CONFORMANCE_SUITE, 'python', 'person.py');
  const words = [program, url, name, password, action, ...(code ? [code] : [])];
  const done = await promisify(execFile)('python3', words);
  return done.stdout.trim();
}

/** A request to the control interface. */
export async function control(method, where, body) {
  const answer = await fetch(tenant.control + where, { method, body });
  ensure(answer.ok, `${method} ${where}: ${answer.status}`);
  return answer.headers.get('content-type')?.includes('json') ? answer.json() : Buffer.from(await answer.arrayBuffer());
}

export async function outside(address, subject) {
  const { mails } = await control('GET', `/outside?address=${encodeURIComponent(address)}`);
  return mails.find((mail) => mail.subject.toLowerCase() === subject.toLowerCase());
}

export function customerMail(subject, id) {
  return [
    `From: Customer <${tenant.customer}>`,
    `To: ${tenant.mailbox}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}>`,
    'Date: Mon, 01 Jun 2026 12:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Where is my parcel?',
    '',
  ].join('\r\n');
}

/** An https service on localhost that answers validation requests and keeps the notifications it gets. */
export async function service() {
  const own = { validated: [], notifications: [] };
  const options = { cert: readFileSync(tenant.service_certificate), key: readFileSync(tenant.service_key) };
  const server = https.createServer(options, (request, response) => {
    const token = new URL(request.url, 'https://localhost').searchParams.get('validationToken');
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      if (token !== null) {
        own.validated.push(token);
        response.writeHead(200, { 'content-type': 'text/plain' }).end(token);
      } else {
        own.notifications.push(...JSON.parse(Buffer.concat(pieces)).value);
        response.writeHead(202).end();
      }
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  own.url = `https://localhost:${server.address().port}/notifications`;
  return own;
}

/** The parameters of an address. */
export function answerOf(address) {
  return Object.fromEntries(new URL(address).searchParams);
}

