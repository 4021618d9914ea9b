"""The command line of Kosli: what it sends for attestations, artifacts and assertions, word for word."""
from lib import *


def account(*scopes):
    name = 'bot-' + secrets.token_hex(3)
    ok('admin', 'POST', '/people', {'login': name, 'name': 'Delivery bot', 'roles': ['requester', 'pipeline']})
    return lend(name, *scopes), name


def lend(name, *scopes):
    body = {'name': 'kosli ' + mark(), 'person': name, 'scopes': list(scopes or ('read', 'write', 'gate'))}
    return ok('admin', 'POST', '/tokens', body).json['token']


def attest(secret, svc, key, data, kind='generic', org=None, file=False):
    """`kosli attest`: a form with the attestation as JSON."""
    bound = 'b' + secrets.token_hex(12)
    lines = [f'--{bound}', 'Content-Disposition: form-data; name="data_json"', '', json.dumps(data, indent=4)]
    if file:
        lines += [f'--{bound}', 'Content-Disposition: form-data; name="attachment_file"; filename="x.tgz"', 'Content-Type: application/octet-stream', '', 'x']
    body = '\r\n'.join([*lines, f'--{bound}--', '']).encode()
    head = {'Authorization': f'Bearer {secret}', 'Content-Type': f'multipart/form-data; boundary={bound}'}
    return http('POST', f'/api/v2/attestations/{org or TENANT}/{svc}/trail/{key}/{kind}', body, head)


def artifact(secret, svc, digits, key=''):
    body = {'fingerprint': digits, 'filename': 'labels.tgz', 'git_commit': sha(), 'build_url': 'https://ci.example/7', 'commit_url': 'https://git.example/7',
            'repo_url': 'https://git.example/labels', 'template_reference_name': 'labels', 'trail_name': key}
    head = {'Authorization': f'Bearer {secret}', 'Content-Type': 'application/json; charset=utf-8'}
    return http('POST', f'/api/v2/artifacts/{TENANT}/{svc}', json.dumps(body).encode(), head)


def asserted(secret, svc, digits, environment='production'):
    query = urllib.parse.urlencode({'flow_name': svc, 'environment_name': environment})
    return http('GET', f'/api/v2/asserts/{TENANT}/fingerprint/{digits}?{query}', headers={'Authorization': f'Bearer {secret}'})


def told(digits, **more):
    return {'artifact_fingerprint': digits, 'attestation_name': 'unit-tests', 'is_compliant': True, 'description': '412 of 412 passed',
            'origin_url': 'https://ci.example/7', **more}


def walk(secret, svc):
    built = digest()
    digits = built.split(':')[1]
    check(artifact(secret, svc, digits).status == 201, 'an artifact is registered')
    key = change([target(svc, built)])
    approve_all(key)
    waits = asserted(secret, svc, digits)
    check(waits.status == 200 and waits['compliant'] is False, 'what lacks evidence is not compliant', waits)
    check(all(it['status'] != 'COMPLIANT' and it['policy_name'] for it in waits['policy_evaluations']), 'with the reasons of the gate', waits['policy_evaluations'])
    made = attest(secret, svc, key, told(digits))
    check(made.status == 201, 'an attestation is taken', made)
    mine = [it for it in ok('requester', 'GET', f'/changes/{key}/evidence').json['items'] if it['name'] == 'unit-tests']
    check(len(mine) == 1 and mine[0]['result'] == 'passed' and mine[0]['artifact'] == built, 'as evidence of the change', mine)
    evidence(key, built)
    goes = asserted(secret, svc, digits)
    check(goes['compliant'] is True and goes['trail'] == key, 'then the gate lets it go', goes)
    return key, built, digits


def attacks(secret, name, svc, key, digits):
    other = service()
    for answer, status, word in (
            (attest(secret, svc, key, told(digest().split(':')[1])), 409, 'no evidence'),
            (attest(secret, other, key, told(digits)), 409, 'no target of the service'),
            (attest(secret, svc, 'CHG-999999999', told(digits)), 404, 'none called'),
            (attest(secret, svc, key, told(digits), kind='decision'), 400, "people's"),
            (attest(secret, svc, key, told(digits), file=True), 400, 'Attachments'),
            (attest(secret, svc, key, {'attestation_name': 'x'}), 400, 'is_compliant'),
            (attest(secret, svc, key, told(digits), org='another'), 404, 'tenant'),
            (artifact(secret, other, digits), 409, 'cannot change'),
            (artifact(secret, svc, 'latest'), 400, 'hexadecimal'),
            (attest(lend(name, 'read'), svc, key, told(digits)), 403, ''),
            (asserted(lend(name, 'read', 'write'), svc, digits), 403, '')):
        check(answer.status == status and word in (answer.json or {}).get('message', ''), f'{status} {word}', answer)
    stranger, _ = account()
    check(artifact(stranger, other, digits).status == 403, 'another pipeline does not take an artifact over')
    check(attest(token('other_requester'), svc, key, told(digits)).status == 404, 'a token of another tenant finds nothing')
    failed = attest(secret, svc, key, told(digits, is_compliant=False))
    check(failed.status == 201 and asserted(secret, svc, digits)['compliant'] is False, 'what is not compliant stops the gate', failed)


def run():
    secret, name = account()
    check(attest(secret, 'label-print', 'CHG-1', told('0' * 64)).status == 404, 'it is absent while the dialect is off')
    dialect = ok('admin', 'POST', '/dialects', {'name': 'kosli'}).json['id']
    key, _, digits = walk(secret, 'label-print')
    attacks(secret, name, 'label-print', key, digits)
    ok('admin', 'DELETE', f'/dialects/{dialect}')
    check(asserted(secret, 'label-print', digits).status == 404, 'switched off, it is absent again')

main(run)
