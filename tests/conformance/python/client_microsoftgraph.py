"""microsoftgraph-python: the authorization code grant and the signed-in person's mail."""

import datetime

from microsoftgraph import exceptions
from microsoftgraph.client import Client

from suite import Control, Service, Suite, answer_of, customer_mail, equal, eventually, person

suite = Suite()
tenant = suite.tenant
control = Control(tenant)
application = tenant["application"]
scopes = ["offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send"]
kept = {}


def client(secret=application["secret"], **more):
    return Client(application["client_id"], secret, account_type=tenant["tenant_id"], **more)


def code(graph):
    url = graph.authorization_url(application["redirect_uri"], scopes, state="xyz")
    answer = answer_of(person(url, *tenant["owner"].values()))
    equal(answer["state"], "xyz")
    return answer["code"]


@suite.check("authorization code")
def _():
    graph = client()
    kept["token"] = graph.exchange_code(application["redirect_uri"], code(graph)).data
    graph.set_token(kept["token"])
    equal(graph.users.get_me().data["userPrincipalName"], tenant["owner"]["name"])
    kept["graph"] = graph


@suite.check("refresh")
def _():
    token = client().refresh_token(application["redirect_uri"], kept["token"]["refresh_token"]).data
    kept["graph"].set_token(token)
    equal(kept["graph"].users.get_me().status_code, 200)


@suite.check("paging")
def _():
    page = kept["graph"].mail.list_messages(folder_id="inbox", params={"$top": 5, "$select": "subject"})
    equal(len(page.data["value"]), 12)


@suite.check("paging by hand")
def _():
    graph = client(paginate=False)
    graph.set_token(kept["graph"].token)
    page, count = graph.mail.list_messages(params={"$top": 5}), 0
    while page is not None:
        count += len(page.data["value"])
        page = graph.get_next(page)
    equal(count, 12)


@suite.check("one message")
def _():
    page = kept["graph"].mail.list_messages(params={"$filter": "subject eq 'Order 03'"})
    message = kept["graph"].mail.get_message(page.data["value"][0]["id"])
    equal(message.data["internetMessageId"], "<order-3@fabrikam.example>")


@suite.check("folders")
def _():
    made = kept["graph"].mail.create_mail_folder("Projects")
    equal(made.status_code, 201)
    names = [folder["displayName"] for folder in kept["graph"].mail.list_mail_folders().data["value"]]
    assert "Projects" in names, names


@suite.check("folder that exists is a Conflict")
def _():
    try:
        kept["graph"].mail.create_mail_folder("Projects")
    except exceptions.Conflict:
        pass
    else:
        raise AssertionError("it was created twice")


@suite.check("send")
def _():
    sent = kept["graph"].mail.send_mail("Hello", "<b>There</b>", [tenant["customer"]])
    equal(sent.status_code, 202)
    eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"] == "Hello"])


@suite.check("subscription")
def _():
    service = Service(tenant)
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    made = kept["graph"].webhooks.create_subscription(
        "created", service.url(), "me/mailFolders('Inbox')/messages", expiry, client_state="ours"
    )
    equal((made.status_code, len(service.validated)), (201, 1))
    control.deliver(tenant["mailbox"], customer_mail(tenant, "News", "news@fabrikam.example"))
    eventually(lambda: service.notifications)
    later = expiry + datetime.timedelta(hours=1)
    equal(kept["graph"].webhooks.renew_subscription(made.data["id"], later).status_code, 200)
    equal(kept["graph"].webhooks.delete_subscription(made.data["id"]).status_code, 204)


@suite.check("wrong secret is Unauthorized")
def _():
    graph = client()
    try:
        client("wrong").exchange_code(application["redirect_uri"], code(graph))
    except exceptions.Unauthorized as error:
        assert "AADSTS7000215" in str(error), error
    else:
        raise AssertionError("it was accepted")


@suite.check("unknown message is NotFound")
def _():
    page = kept["graph"].mail.list_messages(params={"$top": 1})
    identifier = page.data["value"][0]["id"]
    other = identifier[:-8] + ("A" if identifier[-8] != "A" else "B") + identifier[-7:]
    try:
        kept["graph"].mail.get_message(other)
    except (exceptions.NotFound, exceptions.BadRequest):
        pass
    else:
        raise AssertionError("an id that does not exist was found")


@suite.check("broken token is Unauthorized")
def _():
    graph = client()
    graph.set_token({"access_token": "x", "token_type": "Bearer"})
    try:
        graph.users.get_me()
    except exceptions.Unauthorized:
        pass
    else:
        raise AssertionError("it was accepted")


suite.run()
