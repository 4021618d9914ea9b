// A foreign OpenID Connect provider for the tests: `node oidc_provider.mjs WAY_BACK…`. Under its own address stands
// npm's oidc-provider; under /hostile stands one whose code says what is wrong with the token it is exchanged for.
import http from 'node:http';

const modules = process.env.ASSENT_TEST_NODE_MODULES;
const { default: Provider } = await import(`${modules}/oidc-provider/lib/index.js`);
const jose = await import(`${modules}/jose/dist/node/esm/index.js`);

const people = {
  ada: { email: 'Ada@acme.example', email_verified: true, preferred_username: 'ada', name: 'Ada Lovelace', groups: ['sre'] },
  twin: { email: 'ada@acme.example', email_verified: true, preferred_username: 'twin', name: 'Twin', groups: [] },
  // Who an end-to-end test says there is besides.
  ...JSON.parse(process.env.ASSENT_TEST_PEOPLE ?? '{}'),
  eve: { email: 'rita@acme.example', email_verified: false, preferred_username: 'rita', name: 'Eve', groups: [] },
};

const server = http.createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: 'assent', client_secret: 'not very secret', redirect_uris: process.argv.slice(2) }],
  claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  cookies: { keys: ['a key for tests'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  async loadExistingGrant(ctx) {
    const { client, session, provider: own } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return own.Grant.find(known);
    const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
});

const hostile = `${issuer}/hostile`;
const own = await jose.generateKeyPair('RS256');
const foreign = await jose.generateKeyPair('RS256');
// Keys of the other kinds that are believed, and one that comes in place of the first.
const kinds = { es256: 'ES256', ps256: 'PS256', eddsa: 'EdDSA', turned: 'RS256' };
const others = {};
for (const [name, alg] of Object.entries(kinds)) {
  const pair = await jose.generateKeyPair(alg);
  others[name] = { ...pair, jwk: { ...(await jose.exportJWK(pair.publicKey)), kid: name, alg, use: 'sig' } };
}
let hasTurned = false;
const jwk = { ...(await jose.exportJWK(own.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };

async function token({ wrong, nonce }) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: hostile, aud: 'assent', sub: 'ada', nonce, iat: now, exp: now + 300, email: 'ada@acme.example', email_verified: true };
  if (wrong === 'issuer') claims.iss = 'https://other.example';
  if (wrong === 'audience') claims.aud = 'another-client';
  if (wrong === 'nonce') claims.nonce = 'a nonce of another sign-in';
  if (wrong === 'expired') Object.assign(claims, { iat: now - 7200, exp: now - 3600 });
  if (wrong === 'turn') hasTurned = true;
  if (wrong === 'future') claims.iat = now + 3600;
  if (wrong === 'ahead') claims.iat = now + 60;
  if (wrong === 'audiences') Object.assign(claims, { aud: ['assent', 'another-client'], azp: 'assent' });
  if (wrong === 'audiences_without_party') claims.aud = ['assent', 'another-client'];
  if (wrong === 'party') claims.azp = 'another-client';
  if (wrong === 'letters') claims.sub = 'ADA';
  if (wrong === 'unsigned') return new jose.UnsecuredJWT(claims).encode();
  const header = { alg: 'RS256', kid: 'k1' };
  if (wrong === 'shared_secret') {
    return new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('not very secret'));
  }
  if (others[wrong]) {
    return new jose.SignJWT(claims).setProtectedHeader({ alg: kinds[wrong], kid: wrong }).sign(others[wrong].privateKey);
  }
  return new jose.SignJWT(claims).setProtectedHeader(header).sign(wrong === 'key' ? foreign.privateKey : own.privateKey);
}

async function answerHostile(request, response) {
  const json = (value) => { response.setHeader('content-type', 'application/json'); response.end(JSON.stringify(value)); };
  if (request.url.endsWith('/openid-configuration')) {
    return json({
      issuer: hostile, authorization_endpoint: `${hostile}/auth`, token_endpoint: `${hostile}/token`, jwks_uri: `${hostile}/jwks`,
      response_types_supported: ['code'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    });
  }
  if (request.url.endsWith('/jwks')) {
    const { turned, ...more } = others;
    return json({ keys: hasTurned ? [turned.jwk] : [jwk, ...Object.values(more).map((it) => it.jwk)] });
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const asked = JSON.parse(Buffer.from(new URLSearchParams(body).get('code'), 'base64url').toString());
  return json({ access_token: 'x', token_type: 'Bearer', expires_in: 300, id_token: await token(asked) });
}

// A platform of pipelines, as GitHub and GitLab are one: its configuration names no authorization endpoint, and each job
// fetches a token with the audience that it says. The query says what the job is, and what is wrong with its token.
const platform = `${issuer}/platform`;

async function answerPlatform(request, response) {
  const json = (value) => { response.setHeader('content-type', 'application/json'); response.end(JSON.stringify(value)); };
  const url = new URL(request.url, issuer);
  if (url.pathname.endsWith('/openid-configuration')) {
    return json({
      issuer: platform, jwks_uri: `${platform}/jwks`, subject_types_supported: ['public', 'pairwise'],
      response_types_supported: ['id_token'], id_token_signing_alg_values_supported: ['RS256'], scopes_supported: ['openid'],
    });
  }
  if (url.pathname.endsWith('/jwks')) return json({ keys: [{ ...jwk, x5t: 'a', x5c: ['b'] }, { kty: 'unheard-of' }] });
  const now = Math.floor(Date.now() / 1000);
  const { wrong, ...told } = Object.fromEntries(url.searchParams);
  const claims = { iss: platform, iat: now, nbf: now, exp: now + 300, jti: crypto.randomUUID(), ...told };
  if (wrong === 'issuer') claims.iss = hostile;
  if (wrong === 'expired') Object.assign(claims, { iat: now - 7200, nbf: now - 7200, exp: now - 3600 });
  if (wrong === 'long') claims.exp = now + 3_700;
  if (wrong === 'old') claims.iat = now - 3_700;
  if (wrong === 'early') claims.nbf = now + 3600;
  if (wrong === 'unsigned') return json({ value: new jose.UnsecuredJWT(claims).encode() });
  const key = wrong === 'key' ? foreign.privateKey : own.privateKey;
  return json({ value: await new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'k1' }).sign(key) });
}

// A sign-in form that says with what somebody signs in: `POST /interaction/ID?amr=pwd,otp`.
async function signInWith(request, response, methods) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const accountId = new URLSearchParams(body).get('login');
  await provider.interactionFinished(request, response, { login: { accountId, amr: methods.split(',') } }, { mergeWithLastSubmission: false });
}

const usual = provider.callback();
server.on('request', (request, response) => {
  const methods = new URL(request.url, issuer).searchParams.get('amr');
  if (methods && request.method === 'POST' && request.url.startsWith('/interaction/')) {
    return signInWith(request, response, methods).catch((error) => { response.statusCode = 500; response.end(String(error)); });
  }
  const ours = request.url.startsWith('/hostile') ? answerHostile : request.url.startsWith('/platform') ? answerPlatform : null;
  if (!ours) return usual(request, response);
  return ours(request, response).catch((error) => { response.statusCode = 500; response.end(String(error)); });
});
console.log(JSON.stringify({ issuer, hostile, platform }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
