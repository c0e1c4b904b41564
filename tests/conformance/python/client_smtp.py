"""Mail from outside: Python's smtplib and swaks deliver to the tenant's mailboxes."""

import email.message
import shutil
import smtplib
import subprocess

from suite import Control, Skip, Suite, equal

suite = Suite()
tenant = suite.tenant
control = Control(tenant)
host, port = tenant["smtp"].rsplit(":", 1)


def subjects(address):
    return [m["subject"] for m in control.send("GET", f"/mailboxes/{address}/messages")["messages"]]


def mail(subject, *recipients):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = tenant["customer"], ", ".join(recipients), subject
    message.set_content("Grüße aus der Ferne — and a line\n.\n..with dots\n")
    return message


@suite.check("smtplib: a mail with attachment to two mailboxes")
def _():
    message = mail("From smtplib", tenant["mailbox"], tenant["colleague"])
    message.add_attachment(bytes(range(256)) * 512, maintype="application", subtype="octet-stream", filename="a.bin")
    with smtplib.SMTP(host, int(port)) as server:
        server.ehlo("mail.fabrikam.example")
        equal(server.send_message(message), {})
    for address in (tenant["mailbox"], tenant["colleague"]):
        assert "From smtplib" in subjects(address)


@suite.check("smtplib: bytes arrive as they were sent")
def _():
    raw = mail("Dots", tenant["mailbox"]).as_bytes(policy=email.policy.SMTP)
    with smtplib.SMTP(host, int(port)) as server:
        server.sendmail(tenant["customer"], [tenant["mailbox"]], raw)
    (found,) = [m for m in control.send("GET", f"/mailboxes/{tenant['mailbox']}/messages")["messages"] if m["subject"] == "Dots"]
    stored = control.send("GET", f"/mailboxes/{tenant['mailbox']}/messages/{found['id']}/mime")
    assert stored.endswith(raw), stored


@suite.check("smtplib: two mails in one session, size is announced")
def _():
    with smtplib.SMTP(host, int(port)) as server:
        server.ehlo()
        assert int(server.esmtp_features["size"]) > 0
        for number in (1, 2):
            server.send_message(mail(f"Session {number}", tenant["mailbox"]))
    assert {"Session 1", "Session 2"} <= set(subjects(tenant["mailbox"]))


@suite.check("smtplib: unknown recipient is SMTPRecipientsRefused 550")
def _():
    unknown = "nobody@contoso.example"
    with smtplib.SMTP(host, int(port)) as server:
        try:
            server.send_message(mail("Lost", unknown))
        except smtplib.SMTPRecipientsRefused as error:
            equal(error.recipients[unknown][0], 550)
        else:
            raise AssertionError("it was accepted")


@suite.check("smtplib: relaying is refused")
def _():
    with smtplib.SMTP(host, int(port)) as server:
        try:
            server.send_message(mail("Elsewhere", "someone@adatum.example"))
        except smtplib.SMTPRecipientsRefused as error:
            assert error.recipients["someone@adatum.example"][0] // 100 == 5, error
        else:
            raise AssertionError("it was accepted")


def swaks(*arguments):
    if shutil.which("swaks") is None:
        raise Skip("swaks is not installed (Debian package swaks)")
    command = ["swaks", "--server", host, "--port", port, "--from", tenant["customer"], *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@suite.check("swaks: a mail")
def _():
    done = swaks("--to", tenant["mailbox"], "--header", "Subject: From swaks", "--body", "Hello")
    equal((done.returncode, done.stdout[-500:] if done.returncode else ""), (0, ""))
    assert "From swaks" in subjects(tenant["mailbox"])


@suite.check("swaks: unknown recipient")
def _():
    done = swaks("--to", "nobody@contoso.example")
    equal(done.returncode, 24)
    assert " 550 " in done.stdout, done.stdout


suite.run()
