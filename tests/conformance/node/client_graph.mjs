// @microsoft/microsoft-graph-client with @azure/identity: Graph by path.

import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  GraphError,
  LargeFileUploadTask,
  FileUpload,
  PageIterator,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';
import { ClientCertificateCredential, ClientSecretCredential, DeviceCodeCredential } from '@azure/identity';
import {
  check,
  control,
  customerMail,
  ensure,
  equal,
  eventually,
  outside,
  person,
  refusal,
  run,
  service,
  tenant,
} from './suite.mjs';

const { application, powerless, mailbox, colleague, customer } = tenant;
const scopes = ['https://graph.microsoft.com/.default'];
const hosts =
  tenant.way === 'option' ? { authorityHost: tenant.authority, disableInstanceDiscovery: true } : {};

function client(credential, asked = scopes) {
  const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes: asked });
  const place =
    tenant.way === 'option'
      ? { baseUrl: tenant.graph, customHosts: new Set([new URL(tenant.graph).hostname]) }
      : {};
  return Client.initWithMiddleware({ authProvider, ...place });
}

function withSecret(id = application.client_id, secret = application.secret) {
  return client(new ClientSecretCredential(tenant.tenant_id, id, secret, hosts));
}

const graph = withSecret();
const user = `/users/${mailbox}`;
const to = (address) => [{ emailAddress: { address } }];
const newest = async (subject) =>
  (await graph.api(`${user}/messages`).filter(`subject eq '${subject}'`).get()).value[0];

check('client secret: a user', async () => {
  equal((await graph.api(user).select('mail').get()).mail, mailbox);
});

check('certificate', async () => {
  const certificate = { certificate: application.key + application.certificate };
  const credential = new ClientCertificateCredential(tenant.tenant_id, application.client_id, certificate, hosts);
  equal((await client(credential).api(user).get()).userPrincipalName, mailbox);
});

check('device code: /me', async () => {
  const credential = new DeviceCodeCredential({
    tenantId: tenant.tenant_id,
    clientId: tenant.public_application.client_id,
    userPromptCallback: ({ verificationUri, userCode }) => person(verificationUri, { code: userCode }),
    ...hosts,
  });
  equal((await client(credential, ['User.Read']).api('/me').get()).mail, mailbox);
});

check('folder walk', async () => {
  const { value } = await graph.api(`${user}/mailFolders`).top(100).get();
  ensure(value.some((folder) => folder.displayName === 'Inbox'), JSON.stringify(value));
  const parent = await graph.api(`${user}/mailFolders`).post({ displayName: 'Projects' });
  const child = await graph.api(`${user}/mailFolders/${parent.id}/childFolders`).post({ displayName: '2026' });
  const again = await graph.api(`${user}/mailFolders/${parent.id}`).expand('childFolders').get();
  equal(again.childFolders.map((folder) => folder.id), [child.id]);
});

check('folder that exists is a GraphError 409', async () => {
  const error = await refusal(graph.api(`${user}/mailFolders`).post({ displayName: 'Projects' }));
  ensure(error instanceof GraphError, `${error}`);
  equal([error.statusCode, error.code], [409, 'ErrorFolderExists']);
});

check('paging with PageIterator and $count', async () => {
  const page = await graph
    .api(`${user}/mailFolders/inbox/messages`)
    .select('subject')
    .top(5)
    .count(true)
    .orderby('receivedDateTime desc')
    .get();
  equal(page['@odata.count'], 12);
  const seen = [];
  await new PageIterator(graph, page, (message) => Boolean(seen.push(message.subject))).iterate();
  equal(new Set(seen).size, 12);
});

check('search', async () => {
  const { value } = await graph.api(`${user}/messages`).search('"order number 7"').get();
  ensure(value.some((message) => message.subject === 'Order 07'), JSON.stringify(value.map((m) => m.subject)));
});

check('delta loop', async () => {
  const seen = [];
  let page = await graph
    .api(`${user}/mailFolders/inbox/messages/delta`)
    .header('Prefer', 'odata.maxpagesize=5')
    .select('subject')
    .get();
  for (;;) {
    seen.push(...page.value);
    if (page['@odata.deltaLink']) break;
    page = await graph.api(page['@odata.nextLink']).get();
  }
  equal(seen.length, 12);
  await control('POST', `/mailboxes/${mailbox}/messages`, customerMail('Late', 'late@fabrikam.example'));
  const changes = await graph.api(page['@odata.deltaLink']).get();
  equal(changes.value.map((message) => message.subject), ['Late']);
});

check('draft, attachment, send', async () => {
  const draft = await graph.api(`${user}/messages`).post({
    subject: 'Your order',
    body: { contentType: 'text', content: 'It is on its way.' },
    toRecipients: to(customer),
  });
  await graph.api(`${user}/messages/${draft.id}/attachments`).post({
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'note.txt',
    contentBytes: Buffer.from('inside').toString('base64'),
  });
  await graph.api(`${user}/messages/${draft.id}/send`).post({});
  const mail = await eventually(() => outside(customer, 'Your order'));
  const mime = await control('GET', `/outside/${mail.seq}/mime`);
  ensure(mime.includes('aW5zaWRl'), 'the attachment did not travel');
});

check('sendMail in JSON to a colleague', async () => {
  await graph.api(`${user}/sendMail`).post({
    message: { subject: 'Lunch?', body: { contentType: 'Text', content: 'At noon.' }, toRecipients: to(colleague) },
    saveToSentItems: 'false',
  });
  const { value } = await graph.api(`/users/${colleague}/mailFolders/inbox/messages`).get();
  equal(value.map((message) => message.subject), ['Lunch?']);
});

check('sendMail in MIME', async () => {
  const mime = `To: ${customer}\r\nSubject: As MIME\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello\r\n`;
  await graph.api(`${user}/sendMail`).header('Content-Type', 'text/plain').post(Buffer.from(mime).toString('base64'));
  await eventually(() => outside(customer, 'As MIME'));
});

check('MIME of a message', async () => {
  const { id } = await newest('Order 05');
  const mime = await graph.api(`${user}/messages/${id}/$value`).responseType(ResponseType.TEXT).get();
  ensure(mime.includes('Message-ID: <order-5@fabrikam.example>'), mime);
});

check('reply and createReply', async () => {
  const { id, conversationId } = await newest('Order 03');
  await graph.api(`${user}/messages/${id}/reply`).post({ comment: 'Tomorrow.' });
  await eventually(() => outside(customer, 'RE: Order 03'));
  const draft = await graph.api(`${user}/messages/${id}/createReply`).post({});
  equal([draft.isDraft, draft.conversationId], [true, conversationId]);
  await graph.api(`${user}/messages/${draft.id}`).delete();
});

check('read state, categories, flag', async () => {
  const { id } = await newest('Order 06');
  const changes = { isRead: true, categories: ['Red'], flag: { flagStatus: 'flagged' } };
  await graph.api(`${user}/messages/${id}`).update(changes);
  const { isRead, categories, flag } = await graph.api(`${user}/messages/${id}`).get();
  equal({ isRead, categories, flag: { flagStatus: flag.flagStatus } }, changes);
});

check('move and copy, immutable id', async () => {
  const prefer = 'IdType="ImmutableId"';
  const found = await graph.api(`${user}/messages`).header('Prefer', prefer).filter("subject eq 'Order 07'").get();
  const { id } = found.value[0];
  const move = graph.api(`${user}/messages/${id}/move`).header('Prefer', prefer);
  equal((await move.post({ destinationId: 'archive' })).id, id);
  const copy = await graph.api(`${user}/messages/${id}/copy`).header('Prefer', prefer).post({ destinationId: 'inbox' });
  ensure(copy.id !== id, 'a copy has the id of its original');
});

check('attachment of 4 MB by LargeFileUploadTask', async () => {
  const content = Buffer.alloc(4 * 1024 * 1024, 7);
  const draft = await graph.api(`${user}/messages`).post({ subject: 'Large', toRecipients: to(customer) });
  const session = await LargeFileUploadTask.createUploadSession(
    graph,
    `${user}/messages/${draft.id}/attachments/createUploadSession`,
    { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size: content.length } },
  );
  const file = new FileUpload(content, 'large.bin', content.length);
  const task = new LargeFileUploadTask(graph, file, session, { rangeSize: 2 * 1024 * 1024 });
  const result = await task.upload();
  ensure(result.location, 'the upload has no location');
  const { value } = await graph.api(`${user}/messages/${draft.id}/attachments`).select('name,size').get();
  equal(value.map(({ name, size }) => [name, size >= content.length]), [['large.bin', true]]);
});

check('$batch', async () => {
  const request = (path, more = {}) => new Request(`https://graph.microsoft.com/v1.0${path}`, more);
  const json = { 'Content-Type': 'application/json' };
  const post = (path, body) => request(path, { method: 'POST', headers: json, body: JSON.stringify(body) });
  const content = new BatchRequestContent([
    { id: '1', request: request(`${user}/messages?$top=1`) },
    { id: '2', request: post(`${user}/mailFolders`, { displayName: 'Batched' }), dependsOn: ['1'] },
    { id: '3', request: post(`${user}/mailFolders`, { displayName: 'Batched' }), dependsOn: ['2'] },
    { id: '4', request: request(`${user}/mailFolders/inbox`), dependsOn: ['3'] },
  ]);
  const answer = new BatchResponseContent(await graph.api('/$batch').post(await content.getContent()));
  const status = (id) => answer.getResponseById(id).status;
  // The fourth depends on one that failed.
  equal(['1', '2', '3', '4'].map(status), [200, 201, 409, 424]);
  equal((await answer.getResponseById('2').json()).displayName, 'Batched');
});

check('subscription', async () => {
  const notified = await service();
  const expiry = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const made = await graph.api('/subscriptions').post({
    changeType: 'created',
    notificationUrl: notified.url,
    resource: `${user}/mailFolders('inbox')/messages`,
    expirationDateTime: expiry(1),
    clientState: 'ours',
  });
  equal(notified.validated.length, 1);
  await control('POST', `/mailboxes/${mailbox}/messages`, customerMail('News', 'news@fabrikam.example'));
  await eventually(() => notified.notifications.length > 0);
  equal(notified.notifications[0].clientState, 'ours');
  await graph.api(`/subscriptions/${made.id}`).patch({ expirationDateTime: expiry(2) });
  await graph.api(`/subscriptions/${made.id}`).delete();
  equal((await refusal(graph.api(`/subscriptions/${made.id}`).get())).statusCode, 404);
});

check('wrong secret is an AuthenticationError', async () => {
  const error = await refusal(withSecret(application.client_id, 'wrong').api(user).get());
  ensure(`${error.name} ${error.message}`.includes('AADSTS7000215'), `${error}`);
});

check('missing permission is a GraphError 403', async () => {
  const error = await refusal(withSecret(powerless.client_id, powerless.secret).api(`${user}/messages`).get());
  equal([error.statusCode, error.code], [403, 'ErrorAccessDenied']);
  ensure(error.requestId, 'the error names no request');
});

await run();
