"""azure-identity and msgraph-sdk: Microsoft's typed client of Graph, over httpx and aiohttp."""

import datetime
import os

import httpx
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DeviceCodeCredential
from azure.identity.aio import CertificateCredential, ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attachment_item import AttachmentItem
from msgraph.generated.models.attachment_type import AttachmentType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.followup_flag import FollowupFlag
from msgraph.generated.models.followup_flag_status import FollowupFlagStatus
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mail_folder import MailFolder
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.mail_folders.item.messages.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.messages.item.attachments.create_upload_session.create_upload_session_post_request_body import (
    CreateUploadSessionPostRequestBody,
)
from msgraph.generated.users.item.messages.item.copy.copy_post_request_body import CopyPostRequestBody
from msgraph.generated.users.item.messages.item.create_reply.create_reply_post_request_body import (
    CreateReplyPostRequestBody,
)
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.generated.users.item.messages.item.reply.reply_post_request_body import ReplyPostRequestBody
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder as FromMessages
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory, PageIterator
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

from suite import Control, Service, Suite, customer_mail, equal, eventually, person

suite = Suite()
tenant = suite.tenant
control = Control(tenant)
application = tenant["application"]
everything = ["https://graph.microsoft.com/.default"]
hosts = {"authority": tenant["authority"]} if tenant["way"] == "option" else {}
if tenant["way"] == "option":
    hosts["disable_instance_discovery"] = True
kept = {}


def secret_credential(client_id=application["client_id"], secret=application["secret"]):
    return ClientSecretCredential(tenant["tenant_id"], client_id, secret, **hosts)


def client(credential, scopes=everything):
    if tenant["way"] == "alias":
        return GraphServiceClient(credential, scopes)
    graph_host = tenant["graph"].removeprefix("https://")
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=scopes, allowed_hosts=[graph_host, graph_host.split(":")[0]]
    )
    http = None
    if tenant["way"] == "proxy":
        http = GraphClientFactory.create_with_default_middleware(
            options=options, client=httpx.AsyncClient(proxy=os.environ["HTTPS_PROXY"], http2=True)
        )
    adapter = GraphRequestAdapter(provider, http) if http else GraphRequestAdapter(provider)
    adapter.base_url = f"{tenant['graph']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def mailbox():
    if "client" not in kept:
        kept["client"] = client(secret_credential())
    return kept["client"].users.by_user_id(tenant["mailbox"])


def text(content):
    return ItemBody(content_type=BodyType.Text, content=content)


def to(address):
    return [Recipient(email_address=EmailAddress(address=address))]


def query(builder, **values):
    parameters = next(value for name, value in vars(builder).items() if name.endswith("QueryParameters"))
    return RequestConfiguration(query_parameters=parameters(**values))


async def newest(subject):
    found = await mailbox().messages.get(query(FromMessages, filter=f"subject eq '{subject}'"))
    return found.value[0]


@suite.check("client secret: a user")
async def _():
    user = await mailbox().get()
    equal(user.user_principal_name, tenant["mailbox"])


@suite.check("certificate")
async def _():
    pem = (application["key"] + application["certificate"]).encode()
    credential = CertificateCredential(tenant["tenant_id"], application["client_id"], certificate_data=pem, **hosts)
    user = await client(credential).users.by_user_id(tenant["mailbox"]).get()
    equal(user.mail, tenant["mailbox"])


@suite.check("device code: /me")
async def _():
    def prompt(address, code, _expires):
        person(address, *tenant["owner"].values(), code=code)

    credential = DeviceCodeCredential(
        tenant["public_application"]["client_id"],
        tenant_id=tenant["tenant_id"],
        prompt_callback=prompt,
        **hosts,
    )
    me = await client(credential, ["User.Read", "Mail.Read"]).me.get()
    equal(me.user_principal_name, tenant["owner"]["name"])


@suite.check("folder walk")
async def _():
    folders = await mailbox().mail_folders.get()
    names = {folder.display_name for folder in folders.value}
    assert {"Inbox", "Drafts", "Sent Items", "Deleted Items"} <= names, names
    parent = await mailbox().mail_folders.post(MailFolder(display_name="Projects"))
    child = await mailbox().mail_folders.by_mail_folder_id(parent.id).child_folders.post(
        MailFolder(display_name="2026")
    )
    below = await mailbox().mail_folders.by_mail_folder_id(parent.id).child_folders.get()
    equal([folder.id for folder in below.value], [child.id])
    kept["folder"] = child.id


@suite.check("folder that exists is an ODataError 409")
async def _():
    try:
        await mailbox().mail_folders.post(MailFolder(display_name="Projects"))
    except ODataError as error:
        equal((error.response_status_code, error.error.code), (409, "ErrorFolderExists"))
    else:
        raise AssertionError("it was created twice")


@suite.check("paging with PageIterator")
async def _():
    inbox = mailbox().mail_folders.by_mail_folder_id("inbox").messages
    page = await inbox.get(query(MessagesRequestBuilder, top=5, select=["id", "subject"]))
    seen = []
    iterator = PageIterator(page, kept["client"].request_adapter)
    await iterator.iterate(lambda message: seen.append(message.subject) or True)
    equal(sorted(seen), [f"Order {number:02}" for number in range(1, 13)])


@suite.check("filter, order, select")
async def _():
    inbox = mailbox().mail_folders.by_mail_folder_id("inbox").messages
    page = await inbox.get(
        query(
            MessagesRequestBuilder,
            filter="receivedDateTime ge 2020-01-01T00:00:00Z and isRead eq false",
            orderby=["receivedDateTime desc"],
            select=["subject", "from", "receivedDateTime"],
            top=3,
        )
    )
    equal(len(page.value), 3)
    times = [message.received_date_time for message in page.value]
    equal(times, sorted(times, reverse=True))
    equal(page.value[0].from_.email_address.address, tenant["customer"])


@suite.check("delta loop")
async def _():
    delta = mailbox().mail_folders.by_mail_folder_id("inbox").messages.delta
    configuration = query(DeltaRequestBuilder, select=["subject", "isRead"])
    configuration.headers.add("Prefer", "odata.maxpagesize=5")
    page, seen, pages = await delta.get(configuration), [], 1
    seen += page.value
    while page.odata_next_link:
        page = await delta.with_url(page.odata_next_link).get()
        seen, pages = seen + page.value, pages + 1
    equal(len(seen), 12)
    assert pages > 1, pages
    link = page.odata_delta_link
    arrived = control.deliver(tenant["mailbox"], customer_mail(tenant, "Late", "late@fabrikam.example"))
    await mailbox().messages.by_message_id(seen[0].id).patch(Message(is_read=True))
    changed = await delta.with_url(link).get()
    while not changed.odata_delta_link:
        changed = await delta.with_url(changed.odata_next_link).get()
    equal({message.id for message in changed.value}, {arrived["id"], seen[0].id})
    await mailbox().messages.by_message_id(arrived["id"]).delete()
    gone = await delta.with_url(changed.odata_delta_link).get()
    equal([message.additional_data.get("@removed") for message in gone.value], [{"reason": "deleted"}])


@suite.check("draft with attachment, send")
async def _():
    draft = await mailbox().messages.post(
        Message(
            subject="Your order",
            body=text("It is on its way."),
            to_recipients=to(tenant["customer"]),
            attachments=[FileAttachment(name="note.txt", content_bytes=b"inside", content_type="text/plain")],
        )
    )
    equal((draft.is_draft, draft.has_attachments), (True, True))
    files = await mailbox().messages.by_message_id(draft.id).attachments.get()
    equal([(type(file), file.name, bytes(file.content_bytes)) for file in files.value][0][1], "note.txt")
    await mailbox().messages.by_message_id(draft.id).send.post()
    mail = eventually(lambda: [mail for mail in control.outside(tenant["customer"]) if mail["subject"] == "Your order"])
    assert b"aW5zaWRl" in control.outside_mime(mail[0]), "the attachment did not travel"


@suite.check("sendMail to a colleague")
async def _():
    message = Message(subject="Lunch?", body=text("At noon."), to_recipients=to(tenant["colleague"]))
    await mailbox().send_mail.post(SendMailPostRequestBody(message=message, save_to_sent_items=True))
    colleague = kept["client"].users.by_user_id(tenant["colleague"]).mail_folders.by_mail_folder_id("inbox").messages
    page = await colleague.get()
    equal([message.subject for message in page.value], ["Lunch?"])
    sent = await mailbox().mail_folders.by_mail_folder_id("sentitems").messages.get()
    assert "Lunch?" in [message.subject for message in sent.value]


@suite.check("reply")
async def _():
    message = await newest("Order 03")
    await mailbox().messages.by_message_id(message.id).reply.post(ReplyPostRequestBody(comment="Tomorrow."))
    mails = eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"].upper() == "RE: ORDER 03"])
    assert b"order-3@fabrikam.example" in control.outside_mime(mails[0]), "the reply does not name the mail"


@suite.check("createReply, change, send")
async def _():
    message = await newest("Order 04")
    draft = await mailbox().messages.by_message_id(message.id).create_reply.post(CreateReplyPostRequestBody())
    changed = await mailbox().messages.by_message_id(draft.id).patch(Message(body=text("It is here."), categories=["Blue"]))
    equal((changed.is_draft, changed.conversation_id), (True, message.conversation_id))
    await mailbox().messages.by_message_id(draft.id).send.post()
    eventually(lambda: [m for m in control.outside(tenant["customer"]) if m["subject"].upper() == "RE: ORDER 04"])


@suite.check("MIME")
async def _():
    message = await newest("Order 05")
    mime = await mailbox().messages.by_message_id(message.id).content.get()
    assert b"Message-ID: <order-5@fabrikam.example>" in mime, mime


@suite.check("flag, categories, read state")
async def _():
    message = await newest("Order 06")
    wanted = Message(
        is_read=True,
        categories=["Red", "Urgent"],
        flag=FollowupFlag(flag_status=FollowupFlagStatus.Flagged),
    )
    await mailbox().messages.by_message_id(message.id).patch(wanted)
    found = await mailbox().messages.by_message_id(message.id).get()
    equal((found.is_read, sorted(found.categories)), (True, ["Red", "Urgent"]))
    equal(found.flag.flag_status, FollowupFlagStatus.Flagged)


@suite.check("move and copy")
async def _():
    message = await newest("Order 07")
    moved = await mailbox().messages.by_message_id(message.id).move.post(MovePostRequestBody(destination_id="archive"))
    assert moved.id != message.id, "an ordinary id survived a move"
    copied = await mailbox().messages.by_message_id(moved.id).copy.post(
        CopyPostRequestBody(destination_id=kept["folder"])
    )
    equal(copied.parent_folder_id, kept["folder"])
    try:
        await mailbox().messages.by_message_id(message.id).get()
    except ODataError as error:
        equal((error.response_status_code, error.error.code), (404, "ErrorItemNotFound"))
    else:
        raise AssertionError("the old id still works")


@suite.check("attachment of 4 MB by upload session")
async def _():
    content = bytes(range(256)) * 16 * 1024
    draft = await mailbox().messages.post(Message(subject="Large", to_recipients=to(tenant["customer"])))
    item = AttachmentItem(attachment_type=AttachmentType.File, name="large.bin", size=len(content))
    session = await mailbox().messages.by_message_id(draft.id).attachments.create_upload_session.post(
        CreateUploadSessionPostRequestBody(attachment_item=item)
    )
    equal(session.next_expected_ranges, ["0-"])
    # By hand: msgraph-core's LargeFileUploadTask understands the ranges of files in OneDrive only.
    step = 2 * 1024 * 1024
    async with httpx.AsyncClient(proxy=os.environ.get("HTTPS_PROXY"), timeout=60) as http:
        for start in range(0, len(content), step):
            piece = content[start : start + step]
            span = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
            answer = await http.put(session.upload_url, content=piece, headers={"Content-Range": span})
            equal(answer.status_code, 201 if start + step >= len(content) else 200)
    assert "Attachments(" in answer.headers["location"], answer.headers
    files = await mailbox().messages.by_message_id(draft.id).attachments.get()
    equal([file.name for file in files.value], ["large.bin"])
    assert files.value[0].size >= len(content), files.value[0].size


@suite.check("batch")
async def _():
    adapter = kept["client"].request_adapter
    first = mailbox().messages.to_get_request_information(query(FromMessages, top=1))
    second = mailbox().mail_folders.by_mail_folder_id("nowhere").to_get_request_information()
    content = BatchRequestContent()
    for name, information in (("one", first), ("two", second)):
        content.add_request(name, BatchRequestItem(request_information=information, id=name))
    answer = await kept["client"].batch.post(content)
    equal({name: item.status for name, item in answer.responses.items()}.keys(), {"one", "two"})
    equal(answer.get_response_by_id("one").status, 200)
    assert answer.get_response_by_id("two").status in (400, 404), adapter


@suite.check("subscription")
async def _():
    service = Service(tenant)
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    subscription = await kept["client"].subscriptions.post(
        Subscription(
            change_type="created",
            notification_url=service.url(),
            resource=f"users/{tenant['mailbox']}/mailFolders('inbox')/messages",
            expiration_date_time=expiry,
            client_state="ours",
        )
    )
    equal(len(service.validated), 1)
    control.deliver(tenant["mailbox"], customer_mail(tenant, "News", "news@fabrikam.example"))
    eventually(lambda: service.notifications)
    equal(service.notifications[0]["clientState"], "ours")
    one = kept["client"].subscriptions.by_subscription_id(subscription.id)
    later = expiry + datetime.timedelta(hours=1)
    renewed = await one.patch(Subscription(expiration_date_time=later))
    assert abs((renewed.expiration_date_time - later).total_seconds()) < 1, renewed.expiration_date_time
    await one.delete()
    page = await kept["client"].subscriptions.get()
    equal(page.value, [])


@suite.check("wrong secret is a ClientAuthenticationError")
async def _():
    try:
        await client(secret_credential(secret="wrong")).users.by_user_id(tenant["mailbox"]).get()
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error
    else:
        raise AssertionError("it was accepted")


@suite.check("missing permission is an ODataError 403")
async def _():
    powerless = client(secret_credential(**tenant["powerless"]))
    try:
        await powerless.users.by_user_id(tenant["mailbox"]).messages.get()
    except ODataError as error:
        equal((error.response_status_code, error.error.code), (403, "ErrorAccessDenied"))
    else:
        raise AssertionError("it was accepted")


@suite.check("administration: application and secret")
async def _():
    from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
        AddPasswordPostRequestBody,
    )
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.password_credential import PasswordCredential

    administrator = tenant["administrator"]
    graph = client(secret_credential(administrator["client_id"], administrator["client_secret"]))
    made = await graph.applications.post(Application(display_name="Made by the SDK"))
    body = AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="key"))
    secret = await graph.applications.by_application_id(made.id).add_password.post(body)
    equal(secret.secret_text[:3], secret.hint)
    await graph.applications.by_application_id(made.id).delete()


suite.run()
