"""A person with a browser, at the sign-in page.

Opens an address, fills the page's form in, presses a button, and follows the pages until there is none of the login
service's left. Prints the address where the browser is sent then, or the page's last status. Uses the standard library
only; trust and proxy come from the environment, as they do for every client.

usage: person.py <address> <name> <password> accept|decline [code]
"""

import html.parser
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

MOST_PAGES = 10


class Page(html.parser.HTMLParser):
    """The first form of a page, with its fields and buttons, and what the page says."""

    def __init__(self, address, text):
        super().__init__()
        self.address, self.action, self.method = address, None, "get"
        self.fields, self.buttons, self.said, self.role = {}, [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = urllib.parse.urljoin(self.address, found.get("action") or self.address)
            self.method = found.get("method", "get").lower()
        elif tag == "input" and found.get("name") and found.get("type") != "checkbox":
            self.fields[found["name"]] = found.get("value", "")
        elif tag == "button":
            self.buttons.append((found.get("name"), found.get("value")))
        self.role = found.get("role", self.role)

    def handle_data(self, data):
        if self.role and data.strip():
            self.said.setdefault(self.role, data.strip())
            self.role = None


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects to a program's own address end the visit; the others are followed."""

    def redirect_request(self, request, answer, code, message, headers, address):
        host = urllib.parse.urlsplit(address).hostname
        own = urllib.parse.urlsplit(request.full_url)
        if host in ("localhost", "127.0.0.1") and urllib.parse.urlsplit(address).netloc != own.netloc:
            print(address)
            sys.exit(0)
        return super().redirect_request(request, answer, code, message, headers, address)


def main():
    address, name, password, action = sys.argv[1:5]
    code = sys.argv[5] if len(sys.argv) > 5 else None
    browser = urllib.request.build_opener(
        Stay(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    data = None
    for _ in range(MOST_PAGES):
        with browser.open(address, data) as answer:
            page = Page(answer.geturl(), answer.read().decode())
        if page.action is None:
            print(page.said.get("status", "done"))
            return
        for field in page.fields:
            lower = field.lower()
            if "user_code" in lower and code:
                page.fields[field] = code
            elif lower in ("username", "loginfmt"):
                page.fields[field] = name
            elif lower in ("password", "passwd"):
                page.fields[field] = password
        for button, value in page.buttons:
            if button and value == action:
                page.fields[button] = value
        address, data = page.action, urllib.parse.urlencode(page.fields).encode()
    sys.exit("the pages have no end")


try:
    main()
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {error.read().decode(errors='replace')}")
