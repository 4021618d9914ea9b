"""Shared by every case: plain Python 3, no library beside the standard one (but for a certificate).

usage: CASE.py SERVER_URL CREDENTIALS_FILE     exit 0 right, 1 wrong, 2 could not judge
"""
import datetime as dt, hashlib, hmac, json, os, secrets, sys, time, traceback
import urllib.error, urllib.parse, urllib.request
from http.cookiejar import CookieJar

SERVER, CREDS = sys.argv[1].rstrip('/'), json.load(open(sys.argv[2]))
PEOPLE = {p['role']: p for p in CREDS['people']}
TENANT = PEOPLE['requester']['tenant']


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        try:
            self.json = json.loads(raw) if raw else None
        except ValueError:
            self.json = None

    def __getitem__(self, key):
        return self.json[key]

    def __repr__(self):
        return f'{self.status} {self.raw[:600]!r}'


def http(method, url, body=None, headers=None, opener=None):
    request = urllib.request.Request(url if url.startswith('http') else SERVER + url, method=method, data=body, headers=headers or {})
    try:
        with (opener.open if opener else urllib.request.urlopen)(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def token(role):
    return PEOPLE[role]['token'] if role in PEOPLE else role


def login(role):
    return PEOPLE[role]['login']


def api(role, method, path, body=None, **headers):
    head = {'Authorization': 'Bearer ' + token(role)}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        head['Content-Type'] = 'application/json'
    for name, value in headers.items():
        head[name.replace('_', '-')] = value
    return http(method, '/api/v1' + path, data, head)


def ok(role, method, path, body=None, **headers):
    answer = api(role, method, path, body, **headers)
    if not 200 <= answer.status < 300:
        raise Unjudged(f'{role} {method} {path}: {answer!r}')
    return answer


class Unjudged(Exception):
    pass


FAULTS = []


def check(is_right, what, seen=''):
    print(('  ok    ' if is_right else '  WRONG ') + what + (f' -- {seen}' if seen != '' else ''))
    if not is_right:
        FAULTS.append(what)


def note(text):
    print('  note  ' + str(text))


def main(run):
    try:
        run()
    except Unjudged as error:
        print('  could not judge:', error)
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.exit(2)
    print('RIGHT' if not FAULTS else f'WRONG ({len(FAULTS)})')
    sys.exit(1 if FAULTS else 0)


def now():
    return dt.datetime.now(dt.timezone.utc)


def at(**delta):
    return (now() + dt.timedelta(**delta)).strftime('%Y-%m-%dT%H:%M:%SZ')


def moment(text):
    return dt.datetime.fromisoformat(text.replace('Z', '+00:00'))


def digest():
    return 'sha256:' + secrets.token_hex(32)


def sha():
    return secrets.token_hex(20)


def mark():
    return 'h' + secrets.token_hex(4)


def service(role='change_manager', **more):
    """A service of its own for a case, so that cases do not meet."""
    key = 'svc-' + secrets.token_hex(4)
    ok('admin', 'POST', '/services', {'key': key, 'name': key, 'criticality': 'low', **more})
    return key


def draft(targets, title=None, start=None, end=None, who='requester', **more):
    body = {
        'title': title or 'Case ' + mark(), 'description': 'What a case does.', 'justification': 'To see what happens.',
        'category': 'application', 'complexity': 'low', 'impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'},
        'targets': targets, 'planned_start': start or at(minutes=-5), 'planned_end': end or at(hours=2),
        'plan': [{'title': 'Bring it out', 'minutes': 10}], 'rollback_plan': [{'title': 'Bring the old one back', 'minutes': 5}],
        'rollback_minutes': 5, **more,
    }
    return ok(who, 'POST', '/changes', body)['key']


def submit(key, who='requester'):
    ok(who, 'POST', f'/changes/{key}/submission', {})
    ok(who, 'POST', f'/changes/{key}/assessment', {'dependencies_reviewed': True})
    return key


def change(targets, **more):
    who = more.get('who', 'requester')
    return submit(draft(targets, **more), who)


def target(svc, artifact=None, env='production', **more):
    it = {'service': svc, 'environment': env, **more}
    if artifact:
        it['artifact'] = artifact
    return it


def show(key, who='requester'):
    return ok(who, 'GET', f'/changes/{key}').json


def approve(role, key, **more):
    return api(role, 'POST', f'/changes/{key}/approvals', {'decision': 'approve', 'content_digest': show(key)['content_digest'], **more})


def approve_all(key, roles=('owner', 'security', 'change_manager')):
    for role in roles:
        answer = approve(role, key)
        if answer.status != 201:
            raise Unjudged(f'{role} could not approve {key}: {answer!r}')


def evidence(key, artifact=None, role='requester', **more):
    body = {'kind': 'note', 'aspect': 'functional', 'result': 'passed', 'name': 'Tests', 'environment': 'staging', 'text': 'all passed', **more}
    if artifact:
        body['artifact'] = artifact
    return ok(role, 'POST', f'/changes/{key}/evidence', body)


def scheduled(targets, **more):
    key = change(targets, **more)
    approve_all(key)
    for it in targets:
        evidence(key, it.get('artifact') or it.get('commit'))
    state = show(key)['state']
    if state != 'scheduled':
        raise Unjudged(f'{key} is {state}: ' + repr(ok('requester', 'GET', f'/changes/{key}/requirements').json))
    return key


def gate(svc, artifact=None, env='production', who='pipeline', **more):
    query = {'service': svc, 'environment': env, **more}
    if artifact:
        query['artifact'] = artifact
    answer = api(who, 'GET', '/gate?' + urllib.parse.urlencode(query))
    return answer['decision'], [it['code'] for it in answer['reasons']]


def gate_check(svc, artifact=None, env='production', **more):
    body = {'service': svc, 'environment': env, **more}
    if artifact:
        body['artifact'] = artifact
    return ok('pipeline', 'POST', '/gate-checks', body).json


def wait_for(ask, want, seconds=90):
    end = time.time() + seconds
    while True:
        found = ask()
        if found == want or time.time() > end:
            return found
        time.sleep(0.2)


def connection(kind, rows, **more):
    made = ok('admin', 'POST', '/connections', {'kind': kind, 'name': 'Case ' + mark(), 'map': rows, **more}).json
    return made


def row(theirs, svc, **environments):
    return {'repository': theirs, 'service': svc, 'environments': environments or {'production': 'production'}}


def deliver(made, body, headers=None, raw=None):
    data = raw if raw is not None else json.dumps(body).encode()
    head = {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + made['secret'], **(headers or {})}
    return http('POST', made['hook_path'], data, head)


def github(made, event, body, delivery=None):
    data = json.dumps(body).encode()
    sign = 'sha256=' + hmac.new(made['secret'].encode(), data, hashlib.sha256).hexdigest()
    return http('POST', made['hook_path'], data, {
        'Content-Type': 'application/json', 'X-GitHub-Event': event, 'X-GitHub-Delivery': delivery or secrets.token_hex(16),
        'X-Hub-Signature-256': sign})


def github_status(repository, deployment_id, state, commit, status_id, created_at, env='production', login='octo-dev', repository_id=4242, payload=None):
    repo = {'id': repository_id, 'name': repository.split('/')[1], 'full_name': repository, 'owner': {'login': repository.split('/')[0]}}
    user = {'login': login, 'id': 7}
    return {'action': 'created', 'repository': repo, 'sender': user,
            'deployment': {'id': deployment_id, 'sha': commit, 'ref': 'main', 'task': 'deploy', 'environment': env, 'payload': payload or {},
                           'creator': user, 'created_at': created_at, 'updated_at': created_at, 'description': None},
            'deployment_status': {'id': status_id, 'state': state, 'environment': env, 'creator': user, 'created_at': created_at, 'updated_at': created_at,
                                  'description': '', 'target_url': ''}}


def deliveries(made, **query):
    return ok('admin', 'GET', f"/connections/{made['id']}/deliveries?" + urllib.parse.urlencode({'limit': 200, **query}))['items']


def settled(made, count, seconds=90):
    """All deliveries of a connection, once none of so many waits to be read."""
    def seen():
        rows = deliveries(made)
        return len([it for it in rows if it['state'] not in ('waiting', 'received', 'new', 'queued')]) >= count
    wait_for(seen, True, seconds)
    return deliveries(made)


def session(role, password=None):
    jar = http_jar()
    person = PEOPLE[role]
    answer = jar('POST', '/api/v1/session', {'tenant': person['tenant'], 'login': person['login'], 'password': password or person['password']})
    if answer.status >= 300:
        raise Unjudged(f'no session for {role}: {answer!r}')
    return jar


def http_jar():
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(method, path, body=None, form=None):
        head = {'Origin': SERVER}
        data = None
        if body is not None:
            data, head['Content-Type'] = json.dumps(body).encode(), 'application/json'
        if form is not None:
            data, head['Content-Type'] = urllib.parse.urlencode(form).encode(), 'application/x-www-form-urlencoded'
        return http(method, path, data, head, opener)
    return ask




def secured():
    """The server behind TLS, which some clients insist on; answers the port."""
    import pathlib, socket, ssl, tempfile, threading
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, 'localhost')])
    day = dt.timedelta(days=1)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key()).serial_number(1)
            .not_valid_before(now() - day).not_valid_after(now() + day).sign(own, hashes.SHA256()))
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / 'pem').write_bytes(cert.public_bytes(serialization.Encoding.PEM) + own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'pem')
    door = socket.create_server(('127.0.0.1', 0))
    host, port = SERVER.split('://', 1)[1].rsplit(':', 1)

    def pump(one, two):
        try:
            while data := one.recv(65536):
                two.sendall(data)
        except OSError:
            pass
        for it in (one, two):
            try:
                it.close()
            except OSError:
                pass

    def serve():
        while True:
            raw, _ = door.accept()
            try:
                inside = context.wrap_socket(raw, server_side=True)
                outside = socket.create_connection((host, int(port)))
            except OSError:
                continue
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return door.getsockname()[1]


def scim_token():
    made = ok('admin', 'POST', '/tokens', {'name': 'directory ' + mark(), 'scopes': ['scim']}).json
    return made['token']


def scim(tok, method, path, body=None):
    head = {'Authorization': 'Bearer ' + tok}
    data = None
    if body is not None:
        data, head['Content-Type'] = json.dumps(body).encode(), 'application/scim+json'
    return http(method, f'/t/{TENANT}/scim/v2{path}', data, head)


def patch_op(*operations):
    return {'schemas': ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], 'Operations': list(operations)}


def scim_user(tok, name, **more):
    body = {'schemas': ['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName': name, 'active': True,
            'displayName': name, 'emails': [{'value': name if '@' in name else name + '@example.test', 'primary': True, 'type': 'work'}], **more}
    return scim(tok, 'POST', '/Users', body)
