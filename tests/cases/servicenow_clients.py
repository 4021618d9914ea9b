"""Clients of ServiceNow that others wrote, unmodified: pysnow and pysnc walk a change through every state, and each step is in the log."""
from lib import *
import base64, tempfile, warnings

HOST = SERVER.split('://', 1)[1]


def basic(role, path, method='GET', body=None):
    secret = base64.b64encode(f'x:{token(role)}'.encode()).decode()
    head = {'Authorization': 'Basic ' + secret, 'Content-Type': 'application/json'}
    return http(method, path, json.dumps(body).encode() if body is not None else None, head)


def dialects():
    return {it['name']: it['id'] for it in ok('admin', 'GET', '/dialects').json['items']}


def switched_off():
    for name, id in dialects().items():
        ok('admin', 'DELETE', f'/dialects/{id}')
    for method, path in [('GET', '/api/now/table/change_request'), ('POST', '/api/now/table/incident'), ('GET', '/api/now/v2/table/nothing'),
                         ('GET', '/api/sn_chg_rest/change'), ('PATCH', '/api/sn_chg_rest/change/normal/x')]:
        answer = basic('requester', path, method, {} if method != 'GET' else None)
        check(answer.status == 404, f'{method} {path} is absent while the dialect is off', answer)
    refused = api('requester', 'POST', '/dialects', {'name': 'servicenow'})
    check(refused.status == 403, 'a requester does not switch a dialect on', refused.status)


def client(role):
    import pysnow
    warnings.simplefilter('ignore')
    return pysnow.Client(host=HOST, user='x', password=token(role), use_ssl=False)


def table(role, name):
    return client(role).resource(api_path='/table/' + name)


def refusal(act):
    import requests
    try:
        act()
    except requests.exceptions.HTTPError as error:
        return error.response.status_code, error.response.json()['error']
    return 200, {}


def patch(role, key, **fields):
    return table(role, 'change_request').update(query={'number': key}, payload=fields).one()


def written():
    """What a client writes into a new record of change_request."""
    start, end = now() - dt.timedelta(minutes=5), now() + dt.timedelta(hours=2)
    form = '%Y-%m-%d %H:%M:%S'
    return {
        'short_description': 'By a client of ServiceNow ' + mark(), 'description': 'What a case does.', 'justification': 'To see what happens.',
        'type': 'normal', 'category': 'application', 'start_date': start.strftime(form), 'end_date': end.strftime(form),
        'implementation_plan': 'Bring it out', 'backout_plan': 'Bring the old one back', 'test_plan': 'A label prints',
        'u_assent_complexity': 'low', 'u_assent_impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'}, 'u_assent_rollback_minutes': 5,
    }


def walk(svc, artifact):
    """From New to Closed by pysnow; answers the key."""
    made = table('requester', 'change_request').create(
        payload={**written(), 'u_assent_targets': [target(svc, artifact)], 'u_assent_tester': login('owner')}).one()
    key = made['number']
    check(made['state'] == '-5' and len(made['sys_id']) == 32, 'a change is made as New', made['state'])
    check(made['requested_by']['link'].endswith(made['requested_by']['value']), 'a reference has its link', made['requested_by'])
    check(show(key)['title'] == made['short_description'], 'it is the same change in Assent')

    status, why = refusal(lambda: patch('requester', key, state='-1'))
    check(status == 409 and key in why['detail'] and 'no step leads' in why['detail'], 'a state is not skipped, and the reason is ours', why)
    status, why = refusal(lambda: patch('requester', key, chg_model='x'))
    check(status == 400 and '`chg_model`' in why['detail'], 'a field that is not taken is refused by name', why)
    check(show(key)['state'] == 'draft', 'a refusal changes nothing', show(key)['state'])

    assess = patch('requester', key, state='-4', work_notes='Ready to be looked at.')
    check(assess['state'] == '-4' and show(key)['state'] == 'assessing', 'Assess', assess['state'])
    authorize = patch('requester', key, state='-3', u_assent_dependencies_reviewed='true')
    check(authorize['state'] == '-3' and authorize['approval'] == 'requested', 'Authorize', authorize['state'])
    status, why = refusal(lambda: patch('requester', key, state='-2'))
    check(status == 409, 'an unapproved change is not scheduled', why)
    approve_by_rows(key)
    scheduled = patch('requester', key, state='-2')
    check(scheduled['state'] == '-2' and scheduled['approval'] == 'approved', 'Scheduled', scheduled['state'])
    evidence(key, artifact)
    begun = patch('implementer', key, state='-1')
    check(begun['state'] == '-1', 'Implement', begun['state'])
    status, why = refusal(lambda: patch('implementer', key, state='0'))
    check(status == 400 and 'close_code' in why['detail'], 'work does not end without an outcome', why)
    ended = patch('implementer', key, state='0', close_code='successful')
    check(ended['state'] == '0' and show(key)['outcome'] == 'succeeded', 'Review', ended['state'])
    status, why = refusal(lambda: patch('requester', key, state='3'))
    check(status == 409, 'it does not close before it is validated', why)
    patch('owner', key, u_assent_validation={'result': 'works', 'text': 'Printed one.'})
    patch('requester', key, u_assent_review={'objectives_met': True, 'assessment_adequate': True, 'steps_adequate': True, 'summary': 'As planned.'})
    closed = patch('requester', key, state='3', close_code='successful', close_notes='Done.')
    check(closed['state'] == '3' and closed['close_code'] == 'successful', 'Closed', closed['state'])
    check(closed['active'] == 'false', 'what is closed is not active', closed['active'])
    return key


def approve_by_rows(key):
    change = table('owner', 'change_request').get(query={'number': key}).one()
    rows = table('owner', 'sysapproval_approver').get(query={'sysapproval': change['sys_id'], 'state': 'requested'}).all()
    people = table('owner', 'sys_user').get(query={}).all()
    names = {it['sys_id']: it['user_name'] for it in people}
    waiting = {names[row['approver']['value']]: row for row in rows}
    for role in ('owner', 'security', 'change_manager'):
        check(login(role) in waiting, f'{role} is asked for an approval', sorted(waiting))
    status, why = refusal(lambda: table('requester', 'sysapproval_approver').update(query={'sys_id': waiting[login('owner')]['sys_id']}, payload={'state': 'approved'}).one())
    check(status == 403, 'nobody decides for another', why)

    # What was read before an edit approves nothing.
    patch('requester', key, description='What a case does, in other words.')
    stale = waiting[login('owner')]['sys_id']
    answer = basic('owner', f'/api/now/table/sysapproval_approver/{stale}', 'PATCH', {'state': 'approved'})
    check(answer.status == 409, 'an approval that was read before an edit is refused', answer)
    if show(key)['state'] == 'draft':
        patch('requester', key, state='-4')
    if show(key)['state'] == 'assessing':
        patch('requester', key, state='-3', u_assent_dependencies_reviewed='true')
    for role in ('owner', 'security', 'change_manager'):
        rows = table(role, 'sysapproval_approver').get(query={'sysapproval': change['sys_id'], 'state': 'requested'}).all()
        mine = [row for row in rows if names[row['approver']['value']] == login(role)]
        if not mine:
            raise Unjudged(f'{role} is not asked any more: {rows}')
        decided = table(role, 'sysapproval_approver').update(query={'sys_id': mine[0]['sys_id']}, payload={'state': 'approved', 'comments': 'Read.'}).one()
        check(decided['state'] == 'approved', f'{role} approves', decided['state'])


def in_the_log(key):
    events = ok('requester', 'GET', f'/changes/{key}/events?limit=200').json['items']
    found = [(it['kind'], it.get('actor')) for it in events]
    wanted = [('change.created', 'requester'), ('change.submitted', 'requester'), ('change.assessed', 'requester'), ('change.completed', 'implementer'),
              ('change.validated', 'owner'), ('change.reviewed', 'requester')]
    for kind, role in wanted:
        check((kind, login(role)) in found, f'{kind} by {role} is in the log', [it for it in found if it[0] == kind])
    decisions = {it['person'] for it in ok('requester', 'GET', f'/changes/{key}/approvals').json['items'] if it['state'] == 'standing'}
    check({login(role) for role in ('owner', 'security', 'change_manager')} <= decisions, 'the decisions are those of the three', decisions)


def queries(key):
    changes = table('requester', 'change_request')
    found = changes.get(query='state=3^ORstate=4^number=' + key, fields=['number', 'state']).all()
    check(found == [{'number': key, 'state': '3'}], 'an encoded query with fields', found)
    import pysnow
    built = pysnow.QueryBuilder().field('number').equals([key, 'CHG-0']).AND().field('short_description').contains('client of servicenow')
    check([it['number'] for it in changes.get(query=built).all()] == [key], 'a query of the builder')
    page = basic('requester', '/api/now/table/change_request?sysparm_query=ORDERBYnumber&sysparm_limit=1&sysparm_offset=1&sysparm_display_value=all')
    total = int(page.headers['X-Total-Count'])
    check(total > 1 and len(page['result']) == 1, 'a page has its total', total)
    check('rel="first"' in page.headers['Link'] and 'rel="prev"' in page.headers['Link'], 'and the links to its neighbours', page.headers['Link'])
    state = page['result'][0]['state']
    check(set(state) == {'display_value', 'value'}, 'display values stand beside values', state)
    for query in ('colour=red', 'opened_at>javascript:gs.daysAgo(1)', 'stateSOMEHOW1'):
        answer = basic('requester', '/api/now/table/change_request?' + urllib.parse.urlencode({'sysparm_query': query}))
        check(answer.status == 400 and answer['status'] == 'failure', f'`{query}` is refused and not left out', answer.status)
    for name in ('incident', 'problem', 'cmdb_ci', 'sys_user', 'sys_user_group'):
        rows = basic('requester', f'/api/now/table/{name}?sysparm_limit=3')
        check(rows.status == 200 and int(rows.headers['X-Total-Count']) >= len(rows['result']), f'{name} is listed', rows.status)
        for row in rows['result']:
            one = basic('requester', f"/api/now/table/{name}/{row['sys_id']}")
            check(one.status == 200 and one['result'] == row, f"{name} {row['sys_id']} is found by its id", one.status)


def others(svc):
    incidents = table('change_manager', 'incident')
    made = incidents.create(payload={'short_description': 'Labels do not print ' + mark(), 'severity': '3', 'cmdb_ci': svc}).one()
    check(made['state'] == '1' and made['number'].startswith('INC-'), 'an incident is made', made)
    solved = incidents.update(query={'number': made['number']}, payload={'state': '6'}).one()
    check(solved['state'] == '6' and solved['resolved_at'] != '', 'and resolved', solved['state'])
    status, why = refusal(lambda: incidents.update(query={'number': made['number']}, payload={'state': '7'}).one())
    check(status == 409, 'it is not closed by a field', why)
    key = table('requester', 'change_request').create(payload={**written(), 'u_assent_targets': [target(svc, digest())]}).one()['number']
    task = table('requester', 'change_task').create(payload={'change_request': key, 'short_description': 'Check the printer', 'change_task_type': 'testing'}).one()
    check(task['state'] == '1' and task['number'] == key + '-T1', 'a task is made', task)
    done = table('requester', 'change_task').update(query={'change_request': key, 'number': task['number']}, payload={'state': '3', 'close_notes': 'Printed.'}).one()
    check(done['state'] == '3', 'and done', done['state'])
    status, why = refusal(lambda: table('requester', 'change_request').delete(query={'number': key}))
    check(status == 405, 'nothing is deleted', why)
    cancelled = patch('requester', key, state='4', close_notes='Only shown.')
    check(cancelled['state'] == '4' and show(key)['cancelled']['reason'] == 'Only shown.', 'Canceled, with its reason', cancelled['state'])


def change_management(svc):
    made = basic('requester', '/api/sn_chg_rest/v1/change/normal', 'POST', {**written(), 'u_assent_targets': [target(svc, digest())]})
    check(made.status == 200 and made['result']['state'] == {'value': '-5', 'display_value': 'New'}, 'the Change Management API makes a normal change', made)
    key, id = made['result']['number']['value'], made['result']['sys_id']['value']
    ahead = basic('requester', f'/api/sn_chg_rest/change/{id}/nextstate')
    check(ahead['result']['available_states'] == ['-5', '-4', '4'], 'its next states', ahead)
    moved = basic('requester', f'/api/sn_chg_rest/change/normal/{id}', 'PATCH', {'state': 'Assess'})
    check(moved['result']['state']['value'] == '-4' and show(key)['state'] == 'assessing', 'a state is written by its label', moved)
    check(basic('requester', f'/api/sn_chg_rest/change/emergency/{id}').status == 404, 'it is no emergency change')
    clash = basic('requester', f'/api/sn_chg_rest/change/{id}/conflict')
    check(clash.status == 200 and clash['result']['conflict_status'] in ('Conflict', 'No Conflict'), 'its conflicts', clash)
    blind = basic('owner', f'/api/sn_chg_rest/change/{id}/approvals', 'PATCH', {'state': 'approved'})
    check(blind.status == 400 and 'u_assent_content_digest' in blind['error']['detail'], 'nobody approves what they have not read', blind)
    back = basic('change_manager', f'/api/sn_chg_rest/change/{id}', 'PATCH', {'state': '-5', 'comments': 'Which printer?'})
    check(back.status == 200 and show(key)['state'] == 'draft', 'it is returned with a question', back)
    check(show(key)['returned']['reason'] == 'Which printer?', 'which is ours', show(key).get('returned'))


def files_and_times(svc):
    made = table('requester', 'change_request').create(payload={**written(), 'u_assent_targets': [target(svc, digest())]}).one()
    key, id = made['number'], made['sys_id']
    with tempfile.NamedTemporaryFile(suffix='.txt') as file:
        file.write(b'Printed one label.')
        file.flush()
        table('requester', 'change_request').attachments.upload(id, file.name)
    found = basic('requester', f'/api/now/attachment?sysparm_query=table_name=change_request%5Etable_sys_id={id}')
    check(found.status == 200 and len(found['result']) == 1, 'a file is attached by pysnow and found by its change', found)
    row = found['result'][0]
    check(row['size_bytes'] == '18' and row['table_sys_id'] == id, 'with its size', row)
    whole = basic('requester', f"/api/now/attachment/{row['sys_id']}/file")
    check(whole.status == 200 and whole.raw == b'Printed one label.', 'and read back', whole.status)
    kept = ok('requester', 'GET', f'/changes/{key}/evidence').json['items'][0]
    check(kept['kind'] == 'file' and kept['result'] == 'informational', 'it is evidence that states no result', kept)
    refused = basic('requester', f"/api/now/attachment/{row['sys_id']}", 'DELETE')
    check(refused.status == 405, 'and is not deleted', refused.status)

    status, why = refusal(lambda: patch('requester', key, short_description='x' * 5000))
    check(status == 400 and 'short_description' in why['detail'] and 'title' not in why['detail'], 'a refusal names the field as there', why)
    rows = basic('owner', f'/api/sn_chg_rest/change/{id}/approvals')
    check(rows.status == 200 and isinstance(rows['result'], list), 'approvals are read', rows)
    ahead = basic('requester', f'/api/sn_chg_rest/change/{id}/nextstate')['result']['state_transitions'][0]
    cancel = [it for it in ahead if it['to_state'] == '4'][0]
    check(cancel['transition_available'] is True and cancel['conditions'] == [], 'nothing holds up a cancellation', cancel)
    for it in ahead:
        check(it['transition_available'] is (it['conditions'] == []), 'a transition is available without conditions alone', it)
    times = basic('requester', f'/api/sn_chg_rest/change/{id}/schedule?duration_in_seconds=3600')
    check(times.status == 200 and times['result']['state']['display_value'] == 'Complete', 'free times are answered', times)
    for span in times['result'].get('payload', {}).get('spans', []):
        check(span['start']['value'] < span['end']['value'], 'each from its start to its end', span)
    wrong = basic('requester', f'/api/sn_chg_rest/change/{id}/schedule?duration_in_seconds=soon')
    check(wrong.status == 400 and 'duration_in_seconds' in wrong['error']['detail'], 'a wrong duration is named', wrong)
    versions = basic('requester', '/api/now/table/std_change_producer_version')
    check(versions.status == 200 and all(it['version'] for it in versions['result']), 'templates are versions of producers', versions)


def by_pysnc(key, svc):
    import os
    import pysnc
    warnings.simplefilter('ignore')
    # A bundle of certificates that the environment names outweighs `verify=False` (requests).
    for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
        os.environ.pop(name, None)
    url = f'https://127.0.0.1:{secured()}'
    here = pysnc.ServiceNowClient(url, ('x', token('requester')), verify=False, auto_retry=False)
    found = here.GlideRecord('change_request')
    found.add_query('number', key)
    found.query()
    check(len(found) == 1 and found.next(), 'pysnc finds the change', len(found))
    check(found.get_value('state') == '3' and found.get_display_value('state') == 'Closed', 'with value and display value', found.get_value('state'))
    check(found.get_display_value('requested_by') == login('requester'), 'and its requester', found.get_display_value('requested_by'))
    many = here.GlideRecord('change_request', batch_size=1)
    many.add_query('short_description', 'LIKE', 'client of ServiceNow')
    many.order_by('number')
    many.query()
    numbers = [it.get_value('number') for it in many]
    check(len(numbers) == len(set(numbers)) and len(numbers) > 1 and key in numbers, 'pages of one follow each other', numbers)
    fresh = here.GlideRecord('change_request')
    fresh.initialize()
    fresh.set_value('short_description', 'By pysnc ' + mark())
    fresh.set_value('cmdb_ci', svc)
    fresh.set_value('u_assent_environment', 'production')
    id = fresh.insert()
    check(id is not None and len(str(id)) == 32, 'pysnc makes a change', id)
    one = here.GlideRecord('change_request')
    check(one.get(str(id)), 'and gets it by its id')
    one.set_value('justification', 'To see what happens.')
    check(one.update() is not None, 'and changes it')
    check(show(one.get_value('number'))['justification'] == 'To see what happens.', 'as Assent shows it')
    wrong = pysnc.ServiceNowClient(url, ('x', 'ast_wrong'), verify=False, auto_retry=False).GlideRecord('change_request')
    refused = None
    try:
        wrong.query()
    except Exception as error:
        refused = error
    check(type(refused).__name__ == 'AuthenticationException', 'a wrong token is refused', repr(refused))


def run():
    switched_off()
    made = ok('admin', 'POST', '/dialects', {'name': 'servicenow'}).json
    again = api('admin', 'POST', '/dialects', {'name': 'servicenow'})
    check(again.status == 422, 'it is switched on once', again.status)
    svc = 'label-print'
    key = walk(svc, digest())
    in_the_log(key)
    queries(key)
    others(service())
    change_management(service())
    files_and_times(service())
    by_pysnc(key, svc)
    reading = ok('admin', 'POST', '/tokens', {'name': 'reads ' + mark(), 'person': login('requester'), 'scopes': ['read']}).json['token']
    answer = basic(reading, '/api/now/table/change_request', 'POST', written())
    check(answer.status == 403, 'a token that reads does not write', answer.status)
    ok('admin', 'DELETE', f"/dialects/{made['id']}")
    check(basic('requester', '/api/now/table/change_request').status == 404, 'switched off, it is absent again')

main(run)
