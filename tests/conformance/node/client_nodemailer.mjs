// nodemailer with nodemailer-msgraph-transport: an ordinary mail library whose transport is Graph.

import nodemailer from 'nodemailer';
import MsGraphTransport from 'nodemailer-msgraph-transport';
import { check, equal, eventually, outside, run, tenant } from './suite.mjs';

const { application } = tenant;

const mailer = nodemailer.createTransport(
  new MsGraphTransport({
    clientId: application.client_id,
    tenantId: tenant.tenant_id,
    clientSecret: application.secret,
    userPrincipalName: tenant.mailbox,
  }),
);

check('send', async () => {
  const message = { from: tenant.mailbox, to: tenant.customer, subject: 'From nodemailer', html: '<p>Hello</p>' };
  await mailer.sendMail(message);
  equal((await eventually(() => outside(tenant.customer, 'From nodemailer'))).mail_from, tenant.mailbox);
});

await run();
