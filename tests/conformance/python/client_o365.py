"""O365: a client of Graph over requests, with Microsoft's host names built in."""

import datetime
import io

from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend
from requests.exceptions import HTTPError

from suite import Control, Service, Suite, customer_mail, equal, eventually, person

suite = Suite()
tenant = suite.tenant
control = Control(tenant)
application = tenant["application"]
kept = {}


def account(client_id=application["client_id"], secret=application["secret"]):
    return Account(
        (client_id, secret),
        auth_flow_type="credentials",
        tenant_id=tenant["tenant_id"],
        main_resource=tenant["mailbox"],
        protocol=MSGraphProtocol(default_resource=f"users/{tenant['mailbox']}"),
        token_backend=MemoryTokenBackend(),
    )


def mailbox():
    return kept["account"].mailbox()


def one(subject, folder=None):
    (found,) = (folder or mailbox().inbox_folder()).get_messages(query=f"subject eq '{subject}'")
    return found


@suite.check("client secret")
def _():
    kept["account"] = account()
    equal(kept["account"].authenticate(), True)
    folders = mailbox().get_folders()
    assert {"Inbox", "Drafts", "Sent Items"} <= {folder.name for folder in folders}, folders


@suite.check("authorization code: /me")
def _():
    own = Account(
        (application["client_id"], application["secret"]),
        tenant_id=tenant["tenant_id"],
        token_backend=MemoryTokenBackend(),
    )
    scopes = ["https://graph.microsoft.com/Mail.ReadWrite", "https://graph.microsoft.com/User.Read"]
    url, flow = own.con.get_authorization_url(scopes, redirect_uri=application["redirect_uri"])
    answer = person(url, *tenant["owner"].values())
    equal(bool(own.con.request_token(answer.replace("http://", "https://"), flow=flow)), True)
    equal(own.get_current_user_data().mail, tenant["mailbox"])
    equal(own.con.refresh_token(), True)
    equal(own.mailbox().inbox_folder().name, "Inbox")


@suite.check("paging")
def _():
    subjects = [message.subject for message in mailbox().inbox_folder().get_messages(limit=None, batch=5)]
    equal(sorted(subjects), [f"Order {number:02}" for number in range(1, 13)])


@suite.check("query builder: contains, order")
def _():
    query = mailbox().new_query().contains("subject", "Order 1")
    found = mailbox().inbox_folder().get_messages(query=query)
    equal(sorted(message.subject for message in found), ["Order 10", "Order 11", "Order 12"])


@suite.check("folders: create, rename, move, delete")
def _():
    inbox = mailbox().inbox_folder()
    parent = inbox.create_child_folder("Projects")
    child = parent.create_child_folder("2026")
    equal(child.update_folder_name("2027"), True)
    equal([folder.name for folder in parent.get_folders()], ["2027"])
    equal(mailbox().get_folder(folder_name="Inbox").name, "Inbox")
    equal(child.move_folder(mailbox().archive_folder()), True)
    equal([folder.name for folder in parent.get_folders()], [])
    equal(parent.delete(), True)


@suite.check("folder that exists is an HTTPError 409")
def _():
    mailbox().create_child_folder("Twice")
    try:
        mailbox().create_child_folder("Twice")
    except HTTPError as error:
        equal(error.response.status_code, 409)
    else:
        raise AssertionError("it was created twice")


@suite.check("send with attachment and header")
def _():
    message = mailbox().new_message()
    message.to.add(tenant["customer"])
    message.subject = "Your order"
    message.body = "<p>It is on its way.</p>"
    message.add_message_header("x-order", "17")
    message.attachments.add([(io.BytesIO(b"inside"), "note.txt")])
    equal(message.send(), True)
    mails = eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"] == "Your order"])
    mime = control.outside_mime(mails[0])
    assert b"aW5zaWRl" in mime and b"x-order: 17" in mime, mime


@suite.check("draft, attachment of 4 MB, send")
def _():
    message = mailbox().new_message()
    message.to.add(tenant["customer"])
    message.subject = "Large"
    equal(message.save_draft(), True)
    content = bytes(range(256)) * 16 * 1024
    message.attachments.add([(io.BytesIO(content), "large.bin")])
    equal(message.save_draft(), True)
    equal(message.send(), True)
    mails = eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"] == "Large"])
    assert mails[0]["size"] > len(content), mails


@suite.check("reply to all")
def _():
    reply = one("Order 03").reply()
    reply.body = "Tomorrow."
    equal(reply.send(), True)
    mails = eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"].upper() == "RE: ORDER 03"])
    assert b"order-3@fabrikam.example" in control.outside_mime(mails[0])


@suite.check("forward")
def _():
    forward = one("Order 04").forward()
    forward.to.add(tenant["colleague"])
    equal(forward.send(), True)
    arrived = control.send("GET", f"/mailboxes/{tenant['colleague']}/messages")["messages"]
    equal(len(arrived), 1)


@suite.check("read state, categories, flag")
def _():
    message = one("Order 05")
    equal(message.mark_as_read(), True)
    message.add_category("Red")
    message.flag.set_flagged(due_date=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1))
    equal(message.save_message(), True)
    again = one("Order 05")
    equal((again.is_read, again.categories, again.flag.is_flagged), (True, ["Red"], True))
    equal(again.mark_as_unread(), True)


@suite.check("MIME")
def _():
    assert b"Message-ID: <order-6@fabrikam.example>" in one("Order 06").get_mime_content()


@suite.check("move, copy, delete")
def _():
    message = one("Order 07")
    copy = message.copy(mailbox().archive_folder())
    equal(copy.subject, "Order 07")
    equal(message.move(mailbox().archive_folder()), True)
    found = list(mailbox().archive_folder().get_messages(query="subject eq 'Order 07'"))
    equal(len(found), 2)
    equal(found[0].delete(), True)
    equal(len(list(mailbox().archive_folder().get_messages())), 1)


@suite.check("attachments of a mail")
def _():
    boundary = "b1"
    mime = (
        f"From: {tenant['customer']}\r\nTo: {tenant['mailbox']}\r\nSubject: With file\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\nSee.\r\n"
        f"--{boundary}\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\naW5zaWRl\r\n--{boundary}--\r\n"
    )
    control.deliver(tenant["mailbox"], mime.encode())
    message = one("With file")
    equal((message.has_attachments, message.attachments.download_attachments()), (True, True))
    equal([(file.name, file.content) for file in message.attachments], [("a.txt", "aW5zaWRl")])


@suite.check("subscription")
def _():
    service = Service(tenant)
    subscriptions = kept["account"].subscriptions()
    made = subscriptions.create_subscription(
        service.url(),
        resource=f"/users/{tenant['mailbox']}/mailFolders('inbox')/messages",
        change_type="created",
        expiration_minutes=60,
        client_state="ours",
    )
    equal(len(service.validated), 1)
    control.deliver(tenant["mailbox"], customer_mail(tenant, "News", "news@fabrikam.example"))
    eventually(lambda: service.notifications)
    equal(service.notifications[0]["subscriptionId"], made["id"])
    assert subscriptions.renew_subscription(made["id"], expiration_minutes=120)
    equal(subscriptions.delete_subscription(made["id"]), True)


@suite.check("users of the directory")
def _():
    users = list(kept["account"].directory(resource="").get_users(limit=2))
    equal(len(users), 2)


@suite.check("mailbox settings")
def _():
    equal(mailbox().get_settings().timezone is not None, True)


@suite.check("wrong secret gives no token")
def _():
    try:
        done = account(secret="wrong").authenticate()
    except Exception as error:
        assert "AADSTS7000215" in str(error) or "invalid_client" in str(error), error
    else:
        equal(done, False)


@suite.check("missing permission is an HTTPError 403")
def _():
    powerless = account(tenant["powerless"]["client_id"], tenant["powerless"]["secret"])
    equal(powerless.authenticate(), True)
    try:
        list(powerless.mailbox().inbox_folder().get_messages())
    except HTTPError as error:
        equal(error.response.status_code, 403)
    else:
        raise AssertionError("it was accepted")


suite.run()
