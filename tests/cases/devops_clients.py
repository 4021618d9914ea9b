"""The steps of ServiceNow DevOps for GitHub Actions: what they send, word for word, and what they read of the answers."""
from lib import *
import base64

TOOL = 'a2ecfb77dbd1f410ba21e1f2b99619c1'
CONTROL = '/api/sn_devops/v2/devops/orchestration/changeControl'
REPOSITORY, WORKFLOW = 'halden/labels', 'Build and deliver'


def account(*scopes):
    """A pipeline's account that may also ask for changes; answers its token and its login."""
    name = 'bot-' + secrets.token_hex(3)
    ok('admin', 'POST', '/people', {'login': name, 'name': 'Delivery bot', 'roles': ['requester', 'pipeline']})
    return lend(name, *scopes), name


def lend(name, *scopes):
    body = {'name': 'devops ' + mark(), 'person': name, 'scopes': list(scopes or ('read', 'write', 'gate'))}
    return ok('admin', 'POST', '/tokens', body).json['token']


def step(secret, method, path, body=None, query=None):
    """As the steps ask with a token: the id of the tool stands before it."""
    url = path + '?' + urllib.parse.urlencode(query or {'toolId': TOOL, 'toolType': 'github_server'})
    head = {'Content-Type': 'application/json', 'Accept': 'application/json', 'Authorization': f'sn_devops.DevOpsToken {TOOL}:{secret}'}
    return http(method, url, json.dumps(body).encode() if body is not None else None, head)


def attributes(svc, **more):
    begin, end = now() - dt.timedelta(minutes=5), now() + dt.timedelta(hours=2)
    form = '%Y-%m-%d %H:%M:%S'
    return {
        'short_description': 'Automated Software Deployment ' + mark(), 'description': 'Automated Software Deployment.', 'type': 'normal',
        'justification': 'To see what happens.', 'category': 'application', 'cmdb_ci': svc, 'u_assent_environment': 'production',
        'implementation_plan': 'Software update is tested and brought out', 'backout_plan': 'The previous software release is re-deployed',
        'test_plan': 'Testing if the software was successfully deployed', 'start_date': begin.strftime(form), 'end_date': end.strftime(form),
        'u_assent_complexity': 'low', 'u_assent_impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'},
        'u_assent_rollback_minutes': 5, 'u_assent_tester': login('owner'), 'u_assent_dependencies_reviewed': 'true', **more,
    }


def control(run, commit, given, stage='Deploy', **more):
    """The body of servicenow-devops-change."""
    return {'toolId': TOOL, 'stageName': stage, 'buildNumber': run, 'attemptNumber': '1', 'sha': commit, 'action': 'customChange',
            'workflow': WORKFLOW, 'repository': REPOSITORY, 'branchName': 'main',
            'changeRequestDetails': {'setCloseCode': 'true', 'attributes': given}, **more}


def artifact(run, *artifacts):
    """The body of servicenow-devops-register-artifact."""
    return {'artifacts': list(artifacts), 'pipelineName': f'{REPOSITORY}/{WORKFLOW}', 'stageName': 'Build',
            'taskExecutionNumber': f'{run}/attempts/1', 'branchName': 'main'}


def status(secret, run, stage='Deploy'):
    query = {'toolId': TOOL, 'stageName': stage, 'pipelineName': f'{REPOSITORY}/{WORKFLOW}', 'buildNumber': run, 'attemptNumber': '1'}
    return step(secret, 'GET', '/api/sn_devops/v2/devops/orchestration/changeStatus', query=query)


def register(secret, body, what='artifact'):
    return step(secret, 'POST', f'/api/sn_devops/v2/devops/{what}/registration', body, {'orchestrationToolId': TOOL})


def why(answer):
    """The reason, where each of the steps looks for it."""
    result = answer['result']
    check(result['errorMessage'] == result['details']['errors'][0]['message'] == answer['error']['message'], 'the reason stands where each step looks')
    return result['errorMessage']


def run_id():
    return str(secrets.randbelow(10 ** 10))


def walk(secret, svc):
    run, commit, built = run_id(), sha(), digest()
    named = {'name': f'com.halden:{svc}', 'version': built, 'semanticVersion': '1.7.0', 'repositoryName': 'halden/labels'}
    made = register(secret, artifact(run, named))
    check(made.status == 201 and made['result']['status'] == 'Success', 'an artifact is registered', made)
    packed = register(secret, {'name': 'labels-package', **artifact(run, named)}, 'package')
    check(packed.status == 201, 'and a package of it', packed)
    unknown = register(secret, {'name': 'labels-package', **artifact(run, {'name': svc, 'version': '9'})}, 'package')
    check(unknown.status == 400 and 'not registered' in why(unknown), 'a package of what is not registered is refused', unknown)

    begun = step(secret, 'POST', CONTROL, control(run, commit, attributes(svc)))
    check(begun.status == 201, 'change control makes a change', begun)
    key = begun['result']['changeRequestNumber']
    view = show(key)
    check(view['targets'][0]['commit'] == commit and view['targets'][0]['artifact'] == built, 'about the commit and the artifact of the run', view['targets'])
    check(view['state'] == 'authorizing', 'which waits for its approvals', view['state'])
    again = step(secret, 'POST', CONTROL, control(run, commit, attributes(svc)))
    check(again.status == 201 and again['result']['changeRequestNumber'] == key, 'asked again, the run has the same change', again)

    waits = status(secret, run)
    details = waits['result']['details']
    check(waits.status == 201 and details['status'] == 'pending_decision', 'the pipeline waits', waits)
    check(details['number'] == key and len(details['sys_id']) == 32, 'and is told the change', details)
    check(details['details'] != '' and all(isinstance(it, str) for it in details.values()), 'with the reasons as text', details)
    early = step(secret, 'PUT', '/api/sn_devops/v2/devops/orchestration/changeInfo', {'state': '-1'}, {'changeRequestNumber': key})
    check(early.status == 400 and 'no step leads' in why(early), 'no state is skipped', early)

    approve_all(key)
    evidence(key, built, role='pipeline')
    check(show(key)['state'] == 'scheduled', 'it is approved and tested', show(key)['state'])
    goes = status(secret, run)
    check(goes.status == 200 and goes['result']['details']['status'] == 'approved', 'the gate lets it go', goes)
    check(show(key)['state'] == 'implementing', 'which starts the work, as each check of a pipeline does', show(key)['state'])

    query = {'buildNumber': f'{run}/attempts/1', 'stageName': 'Deploy', 'pipelineName': f'{REPOSITORY}/{WORKFLOW}', 'attemptNumber': 'undefined', 'toolId': TOOL}
    info = step(secret, 'GET', '/api/sn_devops/v2/devops/orchestration/changeInfo', query=query)
    check(info.status == 200 and info['result']['number'] == key, 'change info names the change', info)
    ended = step(secret, 'PUT', '/api/sn_devops/v2/devops/orchestration/changeInfo', {'state': '0', 'close_code': 'successful'}, {'changeRequestNumber': key})
    check(ended.status == 200 and ended['result']['status'] == 'Success', 'the pipeline ends its work', ended)
    check(show(key)['state'] == 'reviewing' and show(key)['outcome'] == 'succeeded', 'as Assent shows it', show(key)['state'])
    stale = status(secret, run)
    check(stale.status == 201, 'a run that is done is let go no second time', stale)
    return key, run, built


def attacks(secret, name, svc, run, built):
    other = service()
    stranger, _ = account()
    claimed = register(stranger, artifact(run_id(), {'name': other, 'version': built}))
    check(claimed.status == 400 and claimed['error']['detail'] == 'told_by_another', 'another pipeline does not take an artifact over', claimed)
    moved = register(secret, artifact(run_id(), {'name': other, 'version': built}))
    check(moved.status == 400 and moved['error']['detail'] == 'taken', 'nor does its own give it to another service', moved)
    begun = step(secret, 'POST', CONTROL, control(run, sha(), attributes(other), stage='Other'))
    check(begun.status == 201, 'another service is deployed by the same run', begun)
    targets = show(begun['result']['changeRequestNumber'])['targets']
    check(targets[0].get('artifact') is None, 'and its change has not the artifact of the first', targets)

    count = len(ok('requester', 'GET', '/changes?limit=200').json['items'])
    for field, value in (('approval', 'approved'), ('state', '-1'), ('u_assent_state', 'approved')):
        refused = step(secret, 'POST', CONTROL, control(run_id(), sha(), attributes(svc, **{field: value})))
        check(refused.status == 400, f'a pipeline does not say its own `{field}`', refused)
    gate = step(secret, 'POST', CONTROL, control(run_id(), sha(), attributes(svc), deploymentGateDetails={'environment': 'x', 'jobName': 'Deploy'}))
    check(gate.status == 400 and 'does not wait' in why(gate), 'a step that would not wait is refused', gate)
    nowhere = step(secret, 'POST', CONTROL, control(run_id(), sha(), {'short_description': 'x'}))
    check(nowhere.status == 400 and 'cmdb_ci' in why(nowhere), 'a change needs its service', nowhere)
    reading = lend(name, 'read')
    refused = step(reading, 'POST', CONTROL, control(run_id(), sha(), attributes(svc)))
    check(refused.status == 400 and show_none(refused), 'a token that reads asks for no change', refused)
    check(len(ok('requester', 'GET', '/changes?limit=200').json['items']) == count, 'no refusal made a change')
    ungated = lend(name, 'read', 'write')
    check(status(ungated, run).status == 400, 'a token without the scope `gate` is told nothing of it', status(ungated, run))
    check(status(secret, run_id()).status == 400, 'a run that nobody told of has no status')
    foreign = step(token('other_requester'), 'POST', CONTROL, control(run, sha(), attributes(svc)))
    check(foreign.status == 404, 'a token of another tenant finds nothing', foreign)
    wrong = step('ast_wrong', 'POST', CONTROL, control(run, sha(), attributes(svc)))
    check(wrong.status == 401, 'a wrong token is refused', wrong)


def show_none(answer):
    return 'changeRequestNumber' not in answer['result']


def by_password(secret, svc):
    """Version 1 of the steps signs in with a password; its change is cancelled meanwhile."""
    run = run_id()
    head = {'Content-Type': 'application/json', 'Authorization': 'Basic ' + base64.b64encode(f'x:{secret}'.encode()).decode()}
    body = json.dumps(control(run, sha(), attributes(svc))).encode()
    begun = http('POST', f'/api/sn_devops/v1/devops/orchestration/changeControl?toolId={TOOL}&toolType=github_server', body, head)
    check(begun.status == 201, 'a password does as well', begun)
    key = begun['result']['changeRequestNumber']
    ok(secret, 'POST', f'/changes/{key}/cancellation', {'reason': 'Only shown.'})
    told = status(secret, run)
    check(told.status == 201 and told['result']['details']['status'] == 'canceled_by_user', 'a cancelled change stops the pipeline', told)
    check('Only shown.' in told['result']['details']['details'], 'with the reason', told['result']['details'])


def run():
    secret, name = account()
    off = step(secret, 'POST', CONTROL, control('1', sha(), {}))
    check(off.status == 404, 'it is absent while the dialect is off', off)
    dialect = ok('admin', 'POST', '/dialects', {'name': 'servicenow_devops'}).json['id']
    svc = 'label-print'
    _, number, built = walk(secret, svc)
    attacks(secret, name, svc, number, built)
    by_password(secret, svc)
    gone = step(secret, 'DELETE', CONTROL)
    check(gone.status == 405, 'nothing else is answered', gone)
    ok('admin', 'DELETE', f'/dialects/{dialect}')
    check(status(secret, number).status == 404, 'switched off, it is absent again')

main(run)
