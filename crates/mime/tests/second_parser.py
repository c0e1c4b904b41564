"""Reads mails with Python's own email package and prints what it finds as JSON, one object a file.

A second opinion for corpus.rs. Uses the compat32 policy, which forgives most, and never descends into nested
messages. Call: second_parser.py FILE...
"""

import email
import email.header
import email.utils
import json
import sys


def raw_header(message, name):
    """The first value as it stands, raw bytes as surrogates: the usual access replaces them."""
    return next((value for key, value in message.raw_items() if key.lower() == name), None)


def decoded(value):
    if value is None:
        return None
    # Raw eight-bit bytes come as surrogates: read them as UTF-8, else as windows-1252.
    raw = str(value).encode("utf-8", "surrogateescape")
    try:
        value = raw.decode("utf-8")
    except UnicodeDecodeError:
        value = raw.decode("windows-1252", "replace")
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except Exception:
        return value


def addresses(message, name):
    values = [str(v).encode("utf-8", "surrogateescape").decode("utf-8", "replace") for v in message.get_all(name, [])]
    return [address for _, address in email.utils.getaddresses(values) if address]


def names(message):
    values = [value for key, value in message.raw_items() if key.lower() == "from"]
    return [decoded(name) for name, _ in email.utils.getaddresses(values)]


def date(value):
    parsed = email.utils.parsedate_tz(str(value)) if value else None
    try:
        return int(email.utils.mktime_tz(parsed)) if parsed else None
    except (OverflowError, ValueError):
        return None


def leaves(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for child in part.get_payload():
            yield from leaves(child)
    else:
        yield part


def leaf(part):
    kind = part.get_content_type()
    out = {"type": kind, "filename": decoded(part.get_filename()), "bytes": None, "text": None}
    if part.is_multipart():
        # A nested message: what it contains is not looked at.
        return out
    payload = part.get_payload(decode=True)
    if payload is None:
        return out
    out["bytes"] = payload.hex()
    if part.get_content_maintype() in ("text", "multipart"):
        charset = part.get_content_charset() or "utf-8"
        for candidate in (charset, "utf-8", "windows-1252"):
            try:
                out["text"] = payload.decode(candidate)
                break
            except (LookupError, UnicodeDecodeError):
                continue
    return out


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            message = email.message_from_bytes(file.read())
        found = {
            "path": path,
            "subject": decoded(raw_header(message, "subject")),
            "from": addresses(message, "from"),
            "to": addresses(message, "to"),
            "cc": addresses(message, "cc"),
            "reply_to": addresses(message, "reply-to"),
            "names": names(message),
            "date": date(raw_header(message, "date")),
            "message_id": message["message-id"] and str(message["message-id"]).strip(),
            "leaves": [leaf(part) for part in leaves(message)],
        }
        print(json.dumps(found, ensure_ascii=True))


if __name__ == "__main__":
    main()
