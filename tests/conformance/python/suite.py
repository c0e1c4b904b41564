"""Runs the checks of one client and reports each as one line of JSON on stdout.

Owns the form of the report, which `cargo xtask conformance` reads, and what the scripts share: the tenant they are
given, a person at the sign-in page, a service that is notified, the control interface. Never touches a client's code.
"""

import asyncio
import http.server
import inspect
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
# A state that is waited for comes within this time or not at all.
PATIENCE_SECONDS = 30


class Skip(Exception):
    """The check cannot be made here; the text says why."""


class Suite:
    def __init__(self):
        with open(sys.argv[1], encoding="utf-8") as file:
            self.tenant = json.load(file)
        self.checks = []

    def check(self, name):
        def add(function):
            self.checks.append((name, function))
            return function

        return add

    def run(self):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        for name, function in self.checks:
            line = {"check": name}
            try:
                result = function()
                if inspect.isawaitable(result):
                    loop.run_until_complete(result)
                line["result"] = "ok"
            except Skip as skip:
                line.update(result="skipped", reason=str(skip))
            except Exception as error:  # whatever a client throws is the check's result
                where = traceback.extract_tb(error.__traceback__)
                own = [frame for frame in where if frame.filename.startswith(HERE)]
                at = f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}" if own else "?"
                line.update(result="failed", reason=f"{at}: {type(error).__name__}: {error}"[:2000])
                if os.environ.get("CONFORMANCE_TRACE"):
                    traceback.print_exc()
            print(json.dumps(line), flush=True)


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


def eventually(look):
    """Waits until `look` gives something true, and gives that."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{inspect.getsource(look).strip()} did not come true")
        time.sleep(0.05)


def person(url, name, password, code=None, action="accept"):
    """A person signs in, in a process of their own; gives the address where the browser would go next."""
    arguments = [sys.executable, os.path.join(HERE, "person.py"), url, name, password, action]
    done = subprocess.run(arguments + ([code] if code else []), capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"the sign-in page refused: {done.stdout} {done.stderr}")
    return done.stdout.strip()


def answer_of(address):
    """The parameters of an address, one value each."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))


class Control:
    """The sandbox's control interface."""

    def __init__(self, tenant):
        self.base = tenant["control"]
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, method, path, body=None):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(self.base + path, data=data, method=method)
        with self.opener.open(request) as answer:
            text = answer.read()
        return json.loads(text) if text[:1] in (b"{", b"[") else text

    def deliver(self, address, mime, folder=None):
        query = f"?folder={urllib.parse.quote(folder)}" if folder else ""
        return self.send("POST", f"/mailboxes/{address}/messages{query}", mime)

    def outside(self, address):
        return self.send("GET", f"/outside?address={urllib.parse.quote(address)}")["mails"]

    def outside_mime(self, mail):
        return self.send("GET", f"/outside/{mail['seq']}/mime")


class Service:
    """An https service on localhost that answers validation requests and keeps the notifications it gets."""

    def __init__(self, tenant):
        service = self
        self.validated = []
        self.notifications = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = query.get("validationToken")
                if token:
                    service.validated.append(token[0])
                    self.reply(200, token[0].encode())
                else:
                    service.notifications.extend(json.loads(body)["value"])
                    self.reply(202, b"")

            def reply(self, status, content):
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tenant["service_certificate"], tenant["service_key"])
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/notifications"):
        return f"https://localhost:{self.server.server_port}{path}"


def customer_mail(tenant, subject, message_id, body="Where is my parcel?"):
    return (
        f"From: Customer <{tenant['customer']}>\r\nTo: {tenant['mailbox']}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{message_id}>\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()
