// @azure/msal-node: every grant that a program without a browser of its own can use.

import { createHash } from 'node:crypto';
import * as msal from '@azure/msal-node';
import { answerOf, check, ensure, equal, person, refusal, run, tenant } from './suite.mjs';

const { application } = tenant;
const everything = { scopes: ['https://graph.microsoft.com/.default'] };
const options = { authority: `${tenant.authority}/${tenant.tenant_id}` };
if (tenant.way === 'option') options.knownAuthorities = [new URL(tenant.authority).host];

function confidential(credential) {
  return new msal.ConfidentialClientApplication({ auth: { clientId: application.client_id, ...options, ...credential } });
}

function publicClient() {
  return new msal.PublicClientApplication({ auth: { clientId: tenant.public_application.client_id, ...options } });
}

async function graph(token, path) {
  const answer = await fetch(`${tenant.graph}/v1.0${path}`, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: await answer.json() };
}

check('client secret', async () => {
  const app = confidential({ clientSecret: application.secret });
  const { accessToken, fromCache } = await app.acquireTokenByClientCredential(everything);
  equal(fromCache, false);
  const page = await graph(accessToken, `/users/${tenant.mailbox}/messages?$top=3`);
  equal([page.status, page.body.value.length], [200, 3]);
  equal((await app.acquireTokenByClientCredential(everything)).fromCache, true);
});

check('certificate with SHA-256', async () => {
  const app = confidential({
    clientCertificate: {
      thumbprintSha256: application.thumbprint_sha256,
      privateKey: application.key,
      x5c: application.certificate,
    },
  });
  ensure((await app.acquireTokenByClientCredential(everything)).accessToken, 'no token');
});

check('wrong secret is a ServerError with its code', async () => {
  const error = await refusal(confidential({ clientSecret: 'wrong' }).acquireTokenByClientCredential(everything));
  equal([error.name, error.errorCode], ['ServerError', 'invalid_client']);
  ensure(error.errorMessage.includes('AADSTS7000215'), error.errorMessage);
});

check('token without roles is refused by Graph', async () => {
  const { client_id: clientId, secret: clientSecret } = tenant.powerless;
  const app = new msal.ConfidentialClientApplication({ auth: { clientId, clientSecret, ...options } });
  const { accessToken } = await app.acquireTokenByClientCredential(everything);
  const { status, body } = await graph(accessToken, `/users/${tenant.mailbox}/messages`);
  equal([status, body.error.code], [403, 'ErrorAccessDenied']);
});

check('device code', async () => {
  const result = await publicClient().acquireTokenByDeviceCode({
    scopes: ['Mail.Read', 'User.Read'],
    deviceCodeCallback: ({ verificationUri, userCode }) => person(verificationUri, { code: userCode }),
  });
  equal(result.account.username, tenant.owner.name);
  const me = await graph(result.accessToken, '/me');
  equal([me.status, me.body.mail], [200, tenant.mailbox]);
});

check('device code declined is an error', async () => {
  const request = {
    scopes: ['Mail.Read'],
    deviceCodeCallback: ({ verificationUri, userCode }) =>
      person(verificationUri, { code: userCode, action: 'decline' }),
  };
  const error = await refusal(publicClient().acquireTokenByDeviceCode(request));
  ensure(/declined/.test(`${error.errorCode} ${error.errorMessage}`), `${error}`);
});

async function signIn(app, request) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const redirectUri = application.redirect_uri;
  const url = await app.getAuthCodeUrl({
    ...request,
    redirectUri,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
  });
  const answer = answerOf(await person(url));
  return app.acquireTokenByCode({ ...request, redirectUri, code: answer.code, codeVerifier: verifier });
}

check('authorization code with PKCE, refresh', async () => {
  const app = confidential({ clientSecret: application.secret });
  const request = { scopes: ['Mail.ReadWrite'], nonce: createHash('sha256').update('n').digest('hex') };
  const result = await signIn(app, request);
  equal([result.account.username, result.idTokenClaims.nonce], [tenant.owner.name, request.nonce]);
  const fresh = await app.acquireTokenSilent({ scopes: request.scopes, account: result.account, forceRefresh: true });
  equal(fresh.fromCache, false);
  ensure(fresh.accessToken !== result.accessToken, 'it was not refreshed');
  equal((await graph(fresh.accessToken, '/me/messages?$top=1')).status, 200);
});

check('wrong code verifier is invalid_grant', async () => {
  const app = confidential({ clientSecret: application.secret });
  const { challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const request = { scopes: ['Mail.Read'], redirectUri: application.redirect_uri };
  const url = await app.getAuthCodeUrl({ ...request, codeChallenge: challenge, codeChallengeMethod: 'S256' });
  const { code } = answerOf(await person(url));
  const error = await refusal(app.acquireTokenByCode({ ...request, code, codeVerifier: 'x'.repeat(43) }));
  equal(error.errorCode, 'invalid_grant');
});

await run();
