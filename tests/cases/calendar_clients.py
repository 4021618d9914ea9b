"""The calendar in clients that others wrote: CalDAV in Python's caldav, in vdirsyncer and in khal, freezes in boto3's GetCalendarState."""
from lib import *
import html, pathlib, re, subprocess, tempfile

def secret_of_feed():
    jar = session('requester')
    page = jar('GET', f'/t/{TENANT}/calendar/feed').raw.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    answer = jar('POST', f'/t/{TENANT}/calendar/feed', form=hidden)
    found = re.search(r'/t/[^"<\s]*?/feed/([^"<\s]*?)\.ics', html.unescape(answer.raw.decode()).replace('<wbr/>', ''))
    if not found:
        raise Unjudged(f'no feed address: {answer.status} {answer.raw[:300]!r}')
    return found.group(1)

def by_caldav(secret, key):
    import caldav
    url = f'{SERVER}/t/{TENANT}/caldav/'
    client = caldav.DAVClient(url=url, username='x', password=secret)
    calendars = client.principal().calendars()
    check(len(calendars) == 1, 'the principal has one calendar', [str(it.url) for it in calendars])
    texts = [event.data for event in calendars[0].events()]
    mine = [text for text in texts if key in text]
    check(len(mine) == 1, 'the change is one event', len(mine))
    check('BEGIN:VEVENT' in mine[0] and 'DTSTART' in mine[0], 'the event has its times', mine[0][:300])
    refused = None
    try:
        calendars[0].save_event(mine[0])
    except Exception as error:
        refused = error
    check(refused is not None, 'nothing is written through CalDAV')
    wrong = http('GET', url, headers={'Authorization': 'Basic eDp5'})
    check(wrong.status == 401 and 'Basic' in (wrong.headers['WWW-Authenticate'] or ''), 'a wrong password is asked for again', wrong.status)

def by_service_and_team(secret):
    """Whoever follows a service or a team sees all of its changes, also those in which they have no part, and no others."""
    import caldav
    team = 'crew-' + mark()
    svc, other = service(team=team), service()
    key, apart = (draft([target(it, digest())], start=at(days=100), end=at(days=101), who='change_manager') for it in (svc, other))
    client = caldav.DAVClient(url=f'{SERVER}/t/{TENANT}/caldav/', username='x', password=secret)
    own = http('GET', f'{SERVER}/t/{TENANT}/feed/{secret}.ics')
    check(key.encode() not in own.raw, 'the own feed is without what others do', own.status)
    for word, name in (('service', svc), ('team', team)):
        feed = http('GET', f'{SERVER}/t/{TENANT}/feed/{secret}.ics?{word}={name}')
        told = feed.raw.decode()
        check(feed.status == 200 and key in told and apart not in told, f'the feed of a {word} has its changes alone', feed.status)
        calendar = client.calendar(url=f'{SERVER}/t/{TENANT}/caldav/{word}-{name}/')
        texts = [event.data for event in calendar.events()]
        check(sum(key in text for text in texts) == 1, f'CalDAV has the change of the {word} once', len(texts))
        check(not any(apart in text for text in texts), f'and none of another {word}', len(texts))

def by_khal(folder, secret, key, start, end):
    """khal reads what vdirsyncer wrote, and takes the whole feed in by itself."""
    feed = http('GET', f'{SERVER}/t/{TENANT}/feed/{secret}.ics')
    check(feed.status == 200, 'the feed is there', feed.status)
    (folder / 'feed.ics').write_bytes(feed.raw)
    (folder / 'taken').mkdir()
    (folder / 'khal.conf').write_text(f'''
[calendars]
[[synced]]
path = {folder}/here/changes
readonly = True
[[taken]]
path = {folder}/taken
[locale]
local_timezone = UTC
default_timezone = UTC
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {folder}/khal.db
[default]
default_calendar = taken
''')
    def run(*words):
        command = [sys.executable, '-m', 'khal', '-c', str(folder / 'khal.conf'), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)
    taken = run('import', '--batch', '-a', 'taken', str(folder / 'feed.ics'))
    check(taken.returncode == 0, 'khal imports the whole feed', (taken.stdout + taken.stderr)[-600:])
    stamp = lambda text: text[:16].replace('T', ' ')
    for calendar in ('synced', 'taken'):
        # One that lies over midnight stands under each of its days unless it is asked for once.
        found = run('list', '--once', '-a', calendar, '--format', '{start-long}|{end-long}|{title}', start[:10], '3d')
        check(found.returncode == 0, f'khal lists the calendar {calendar}', (found.stdout + found.stderr)[-600:])
        mine = [line for line in found.stdout.splitlines() if key in line]
        check(len(mine) == 1, f'the change is one event in khal ({calendar})', found.stdout[-600:])
        check(mine[0].startswith(f'{stamp(start)}|{stamp(end)}|'), 'with its times', (mine, start, end))

def by_vdirsyncer(secret, key, start, end):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / 'config').write_text(f'''
[general]
status_path = "{folder}/status"

[pair calendar]
a = "assent"
b = "here"
collections = ["changes"]
conflict_resolution = "a wins"

[storage assent]
type = "caldav"
url = "{SERVER}/t/{TENANT}/caldav/"
username = "x"
password = "{secret}"
read_only = true

[storage here]
type = "filesystem"
path = "{folder}/here"
fileext = ".ics"
''')
        def run(*words):
            command = [sys.executable, '-m', 'vdirsyncer', '-c', str(folder / 'config'), *words]
            return subprocess.run(command, input='y\ny\n', capture_output=True, text=True, timeout=120)
        found = run('discover')
        check(found.returncode == 0, 'vdirsyncer discovers the collection', (found.stdout + found.stderr)[-600:])
        synced = run('sync')
        check(synced.returncode == 0, 'vdirsyncer synchronises it', (synced.stdout + synced.stderr)[-600:])
        files = [path.read_text() for path in (folder / 'here').rglob('*.ics')]
        check(sum(key in text for text in files) == 1, 'the change is a file of its own', len(files))
        again = run('sync')
        check(again.returncode == 0 and 'Copying' not in again.stdout + again.stderr, 'a second synchronisation copies nothing', (again.stdout + again.stderr)[-600:])
        by_khal(folder, secret, key, start, end)

def by_boto3(secret, svc):
    import boto3
    from botocore.exceptions import ClientError
    ssm = boto3.client('ssm', endpoint_url=f'{SERVER}/t/{TENANT}/feed/{secret}/ssm', region_name='eu-north-1', aws_access_key_id='x', aws_secret_access_key='y')
    begin, end = at(days=95), at(days=96)
    ok('change_manager', 'POST', '/freezes', {'title': 'Quarter end', 'services': [svc], 'starts_at': begin, 'ends_at': end})
    before = ssm.get_calendar_state(CalendarNames=[svc], AtTime=at(days=94))
    check(before['State'] == 'OPEN' and before['NextTransitionTime'][:16] == begin[:16], 'open before, with the next transition', before)
    inside = ssm.get_calendar_state(CalendarNames=[f'{svc}/production'], AtTime=at(days=95, hours=3))
    check(inside['State'] == 'CLOSED' and inside['NextTransitionTime'][:16] == end[:16], 'closed inside, until its end', inside)
    after = ssm.get_calendar_state(CalendarNames=[f'arn:aws:ssm:eu-north-1:123456789012:document/{svc}'], AtTime=end)
    check(after['State'] == 'OPEN', 'open at its end, also by an ARN', after)
    try:
        ssm.get_calendar_state(CalendarNames=['no-such-service'])
        check(False, 'an unknown calendar is refused')
    except ClientError as error:
        check(error.response['Error']['Code'] == 'InvalidDocument', 'an unknown calendar is refused', error.response['Error'])
    windows = ok('requester', 'GET', '/argocd/sync-windows?environment=production').json['sync_windows']
    mine = [it for it in windows if it['duration'] in ('1440m', '1441m') and it['kind'] == 'deny']
    check(bool(mine) and all(re.fullmatch(r'\d+ \d+ \d+ \d+ \*', it['schedule']) for it in mine), 'the same freeze is a sync window of Argo CD', windows[:3])

def run():
    secret, svc = secret_of_feed(), service()
    start, end = at(days=100), at(days=100, hours=3)
    key = draft([target(svc, digest())], title='Calendar clients ' + mark(), start=start, end=end)
    by_caldav(secret, key)
    by_service_and_team(secret)
    by_vdirsyncer(secret, key, start, end)
    by_boto3(secret, svc)

main(run)
