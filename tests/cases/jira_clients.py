"""Clients of Jira Cloud: jira.js unmodified under Node, and what GitLab and the plugin for Jenkins send, word for word."""
from lib import *
import pathlib, shutil, subprocess

MODULES = pathlib.Path(os.environ.get('ASSENT_TEST_NODE_MODULES') or pathlib.Path(__file__).resolve().parents[2] / '.tools/node/node_modules')


def account(*scopes):
    name = 'bot-' + secrets.token_hex(3)
    ok('admin', 'POST', '/people', {'login': name, 'name': 'Delivery bot', 'roles': ['requester', 'pipeline']})
    return lend(name, *scopes), name


def lend(name, *scopes):
    body = {'name': 'jira ' + mark(), 'person': name, 'scopes': list(scopes or ('read', 'write', 'gate'))}
    return ok('admin', 'POST', '/tokens', body).json['token']


def jira(secret, method, path, body=None):
    head = {'Authorization': f'Bearer {secret}', 'Content-Type': 'application/json'}
    return http(method, path, json.dumps(body).encode() if body is not None else None, head)


def by_jira_js(secret, call, parameters):
    """What a call of jira.js answers; a refusal is its error."""
    node, package = shutil.which('node'), MODULES / 'jira.js'
    if not node or not package.exists():
        raise Unjudged(f'there is no Node, or no jira.js in {MODULES}')
    program = '''
const { AgileClient } = require(process.argv[1]);
const [host, accessToken, call, parameters] = process.argv.slice(2);
const client = new AgileClient({ host, authentication: { oauth2: { accessToken } } });
const [group, name] = call.split('.');
client[group][name](JSON.parse(parameters)).then(
  it => console.log(JSON.stringify(it === undefined ? null : it)),
  error => { console.log(JSON.stringify({ failed: error.status ?? error.response?.status ?? 0, text: String(error.message ?? error) })); });
'''
    command = [node, '-e', program, str(package), SERVER, secret, call, json.dumps(parameters)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or not done.stdout.strip():
        raise Unjudged(f'{call}: {done.stderr[-600:]}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def deployment(number, svc, commit, update=1, state='pending', gated=True, environment='production', keys=()):
    it = {
        'schemaVersion': '1.0', 'deploymentSequenceNumber': number, 'updateSequenceNumber': update,
        'associations': [{'associationType': 'serviceIdOrKeys', 'values': [svc]},
                         {'associationType': 'commit', 'values': [{'commitHash': commit, 'repositoryId': 'labels'}]}],
        'displayName': f'Deployment {number}', 'url': f'https://ci.example/labels/{number}', 'description': 'Labels in two languages.',
        'lastUpdated': at(), 'label': f'labels-{number}', 'state': state,
        'pipeline': {'id': 'labels', 'displayName': 'Labels', 'url': 'https://ci.example/labels'},
        'environment': {'id': environment, 'displayName': environment, 'type': 'production'},
    }
    if keys:
        it['associations'].append({'associationType': 'issueKeys', 'values': list(keys)})
    if gated:
        it['commands'] = [{'command': 'initiate_deployment_gating'}]
    return it


def tell(secret, *deployments):
    return jira(secret, 'POST', '/rest/deployments/0.1/bulk', {'deployments': list(deployments)})


def gating(secret, number, environment='production'):
    return jira(secret, 'GET', f'/rest/deployments/0.1/pipelines/labels/environments/{environment}/deployments/{number}/gating-status')


def reason(answer):
    return answer['rejectedDeployments'][0]['errors'][0]['message']


def sequence():
    return secrets.randbelow(10 ** 9)


def credentials(secret):
    def ask(**fields):
        body = {'audience': 'api.atlassian.com', 'grant_type': 'client_credentials', 'client_id': 'labels', **fields}
        return http('POST', '/oauth/token', json.dumps(body).encode(), {'Content-Type': 'application/json'})
    got = ask(client_secret=secret)
    check(got.status == 200 and got['token_type'] == 'Bearer' and got['expires_in'] > 0, 'credentials are exchanged', got.status)
    form = urllib.parse.urlencode({'audience': 'api.atlassian.com', 'client_id': 'c', 'client_secret': secret, 'grant_type': 'client_credentials'})
    formed = http('POST', '/oauth/token', form.encode(), {'Content-Type': 'application/x-www-form-urlencoded'})
    check(formed.status == 200 and formed['access_token'] == got['access_token'], 'also as a form', formed.status)
    wrong = ask(client_secret='ast_wrong')
    check(wrong.status == 401 and wrong['error'] == 'access_denied', 'wrong ones are not', wrong)
    check(ask(client_secret=secret, grant_type='password').status == 400, 'no other grant is answered')
    check(ask(client_secret=token('other_requester')).status == 404, 'nor are those of another tenant, which has it not')
    return got['access_token']


def complete(secret, key, commit):
    """What the gating status asks for: the writer completes the change, the others approve it."""
    view = show(key)
    body = {'description': 'What a case does.', 'justification': 'To see what happens.', 'category': 'application', 'complexity': 'low',
            'impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'}, 'planned_start': at(minutes=-5), 'planned_end': at(hours=2),
            'plan': [{'title': 'Bring it out', 'minutes': 10}], 'rollback_plan': [{'title': 'Bring the old one back', 'minutes': 5}], 'rollback_minutes': 5}
    ok(secret, 'PATCH', f'/changes/{key}', body, If_Match=f'"{view["version"]}"')
    if show(key)['state'] == 'draft':
        ok(secret, 'POST', f'/changes/{key}/submission', {})
    if show(key)['state'] == 'assessing':
        ok(secret, 'POST', f'/changes/{key}/assessment', {'dependencies_reviewed': True})
    approve_all(key)
    built = {'builds': [{
        'schemaVersion': '1.0', 'pipelineId': 'labels', 'buildNumber': sequence(), 'updateSequenceNumber': 7, 'displayName': 'labels #7',
        'url': 'https://ci.example/labels/7', 'state': 'successful', 'lastUpdated': at(), 'issueKeys': [key, 'LABEL-7'],
        'testInfo': {'totalNumber': 412, 'numberPassed': 412, 'numberFailed': 0, 'numberSkipped': 0},
        'references': [{'commit': {'id': commit, 'repositoryUri': 'https://git.example/labels'}, 'ref': {'name': 'main', 'uri': 'https://git.example/labels'}}]}]}
    told = by_jira_js(secret, 'builds.submitBuilds', built)
    check(len(told['acceptedBuilds']) == 1 and told['unknownIssueKeys'] == ['LABEL-7'], 'a build is accepted, and other issues are named', told)
    pieces = lambda: [it for it in ok('requester', 'GET', f'/changes/{key}/evidence').json['items'] if it.get('name') == 'labels #7']
    check(len(pieces()) == 1 and pieces()[0]['result'] == 'passed', 'it is evidence of the change', pieces())
    jira(secret, 'POST', '/jira/builds/0.1/cloud/11223344/bulk', built)
    check(len(pieces()) == 1, 'once, however often it is sent', len(pieces()))
    foreign = json.loads(json.dumps(built))
    foreign['builds'][0].update(buildNumber=sequence(), references=[{'commit': {'id': sha(), 'repositoryUri': 'https://git.example/other'}}])
    answer = jira(secret, 'POST', '/rest/builds/0.1/bulk', foreign)
    check(answer.status == 202 and 'no evidence' in answer['rejectedBuilds'][0]['errors'][0]['message'], 'a build of another commit is no evidence', answer)
    evidence(key, commit, environment='staging', role='pipeline')


def walk(secret, svc):
    number, commit = sequence(), sha()
    told = by_jira_js(secret, 'deployments.submitDeployments', {'properties': {}, 'deployments': [deployment(number, svc, commit)], 'providerMetadata': {'product': 'case'}})
    check([it['deploymentSequenceNumber'] for it in told['acceptedDeployments']] == [number], 'jira.js tells of a deployment', told)
    place = {'pipelineId': 'labels', 'environmentId': 'production', 'deploymentSequenceNumber': number}
    waits = by_jira_js(secret, 'deployments.getDeploymentGatingStatusByKey', place)
    check(waits['gatingStatus'] == 'awaiting' and waits['details'][0]['type'] == 'issue', 'it awaits its change', waits)
    key = waits['details'][0]['issueKey']
    check(waits['details'][0]['issueLink'].endswith('/changes/' + key), 'which is named, with its address', waits['details'])
    check(len(waits['details'][0]['reasons']) > 0 and waits['details'][0]['reasons'][0]['text'] != '', 'and why', waits['details'])
    check(show(key)['targets'][0]['commit'] == commit, 'the change is about the commit', show(key)['targets'])
    tell(secret, deployment(number, svc, commit))
    tell(secret, deployment(number, svc, commit, update=2))
    check(gating(secret, number)['details'][0]['issueKey'] == key, 'told again, it has the same change')

    ahead = tell(secret, deployment(number, svc, commit, update=3, state='successful'))
    check(ahead.status == 202 and key in reason(ahead), 'a client does not say that it was let go', ahead)
    check(show(key)['state'] in ('draft', 'assessing'), 'and its change stands where it stood', show(key)['state'])

    complete(secret, key, commit)
    check(show(key)['state'] == 'scheduled', 'it is approved and tested', ok('requester', 'GET', f'/changes/{key}/requirements').json)
    goes = by_jira_js(secret, 'deployments.getDeploymentGatingStatusByKey', place)
    check(goes['gatingStatus'] == 'allowed', 'the gate lets it go', goes)
    check(show(key)['state'] == 'implementing', 'which starts the work', show(key)['state'])
    done = tell(secret, deployment(number, svc, commit, update=5, state='successful'))
    check(len(done['acceptedDeployments']) == 1, 'it ends well', done)
    check(show(key)['state'] == 'reviewing' and show(key)['outcome'] == 'succeeded', 'and so does the work', show(key)['state'])
    late = tell(secret, deployment(number, svc, commit, update=4, state='failed'))
    check(len(late['acceptedDeployments']) == 1 and show(key)['outcome'] == 'succeeded', 'an update that comes late changes nothing', late)
    stored = by_jira_js(secret, 'deployments.getDeploymentByKey', place)
    check(stored['state'] == 'successful' and stored['updateSequenceNumber'] == 5, 'it is shown as told last', stored)
    deleted = by_jira_js(secret, 'deployments.deleteDeploymentByKey', place)
    check(deleted.get('failed') == 405, 'nothing is deleted', deleted)
    return key, number, commit


def gitlab(secret, svc):
    """GitLab's body: the commit stands in the name alone."""
    number, commit = sequence(), sha()
    body = {
        'schemaVersion': '1.0', 'deploymentSequenceNumber': number, 'updateSequenceNumber': 1698000000,
        'displayName': f'Deployment {number} (main@{commit[:8]}) to production',
        'description': f'Deployment {number} (deployment-9) of labels (project-4)\n at {commit[:8]} (deploy) to production',
        'associations': [{'associationType': 'serviceIdOrKeys', 'values': [svc]}], 'url': 'https://gitlab.example/halden/labels/-/jobs/9',
        'label': f'halden/labels-production-{number}-{commit[:8]}', 'state': 'pending', 'lastUpdated': at(),
        'pipeline': {'id': 'labels', 'displayName': 'labels', 'url': 'https://gitlab.example/halden/labels/-/pipelines'},
        'environment': {'id': '31', 'displayName': 'production', 'type': 'production'},
        'commands': [{'command': 'initiate_deployment_gating'}],
    }
    told = tell(secret, body)
    check(told.status == 202 and len(told['acceptedDeployments']) == 1, 'a deployment of GitLab is accepted', told)
    key = gating(secret, number, '31')['details'][0]['issueKey']
    target = show(key)['targets'][0]
    check((target['commit'], target['environment']) == (commit[:8], 'production'), 'its commit and environment are read', target)
    ok(secret, 'POST', f'/changes/{key}/cancellation', {'reason': 'Only shown.'})
    check(gating(secret, number, '31')['gatingStatus'] == 'prevented', 'a cancelled change prevents it')


def attacks(secret, name, svc, key, number, commit):
    stranger, _ = account()
    taken = tell(stranger, deployment(number, svc, commit, update=9, state='cancelled'))
    check('Another account' in reason(taken), 'another client does not tell of it', taken)
    other, borrowed = service(), sequence()
    tell(secret, deployment(borrowed, other, commit, keys=[key]))
    mine = gating(secret, borrowed)['details'][0]['issueKey']
    check(mine != key and show(mine)['targets'][0]['service'] == other, 'the change of another service gates nothing', mine)
    for wrong, word in ((deployment(sequence(), 'no-such-service', commit), 'no-such-service'),
                        (deployment(sequence(), svc, commit, environment='nowhere'), 'nowhere'),
                        (deployment(sequence(), svc, commit, state='approved'), 'approved'),
                        ({**deployment(sequence(), svc, commit), 'associations': [{'associationType': 'serviceIdOrKeys', 'values': [svc]}]}, 'commit')):
        answer = tell(secret, wrong)
        check(answer.status == 202 and word in reason(answer), f'{word} is rejected with its reason', answer)
    plain = sequence()
    tell(secret, deployment(plain, svc, sha(), gated=False))
    check(gating(secret, plain)['gatingStatus'] == 'invalid', 'what asked for no gating has no status')
    check(gating(secret, sequence()).status == 404, 'what nobody told of is absent')
    reading, count = lend(name, 'read'), len(ok('requester', 'GET', '/changes?limit=200').json['items'])
    refused = tell(reading, deployment(sequence(), svc, sha()))
    check(len(refused['rejectedDeployments']) == 1, 'a token that reads tells nothing', refused)
    check(len(ok('requester', 'GET', '/changes?limit=200').json['items']) == count, 'and makes no change')
    ungated = gating(lend(name, 'read', 'write'), borrowed)
    check(ungated.status == 403 and ungated['errorMessages'], 'a token without the scope `gate` asks in vain', ungated)
    check(tell(token('other_requester'), deployment(number, svc, commit)).status == 404, 'a token of another tenant finds nothing')
    check(tell('ast_wrong', deployment(number, svc, commit)).status == 401, 'a wrong token is refused')
    check(tell(secret).status == 400, 'a request tells of something')


def run():
    secret, name = account()
    check(tell(secret, deployment(1, 'label-print', sha())).status == 404, 'it is absent while the dialect is off')
    body = json.dumps({'grant_type': 'client_credentials', 'client_secret': secret}).encode()
    check(http('POST', '/oauth/token', body, {'Content-Type': 'application/json'}).status == 404, 'so are its credentials')
    dialect = ok('admin', 'POST', '/dialects', {'name': 'jira'}).json['id']
    check(gating(secret, sequence()).status == 404, 'a deployment that nobody told of is absent')
    bearer = credentials(secret)
    key, number, commit = walk(bearer, 'label-print')
    gitlab(bearer, 'label-print')
    attacks(bearer, name, 'label-print', key, number, commit)
    ok('admin', 'DELETE', f'/dialects/{dialect}')
    check(tell(secret, deployment(1, 'label-print', sha())).status == 404, 'switched off, it is absent again')

main(run)
