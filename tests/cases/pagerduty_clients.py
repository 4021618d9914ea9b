"""PagerDuty's own client for Python, unmodified: an outage that is told twice, flaps, returns and ends before it began."""
from lib import *
import logging


def sender(made):
    from pagerduty import EventsApiV2Client
    logging.disable(logging.WARNING)
    return EventsApiV2Client(made['secret'], base_url=f'https://127.0.0.1:{PORT}' + made['hook_path'], verify=False)


def ends(title):
    """Whether each incident of this title is over, in the order in which they were opened."""
    rows = [it for it in ok('commander', 'GET', '/incidents?limit=200')['items'] if it['title'] == title]
    return [it.get('resolved_at') is not None for it in sorted(rows, key=lambda it: int(it['key'].split('-')[1]))]


def run():
    global PORT
    PORT = secured()
    svc = service()
    made = connection('pagerduty', [row('queue', svc)])
    pages, told = sender(made), 0
    printer, paper, ink = (f'{mark()} {what}' for what in ('printer', 'paper', 'ink'))

    def then(title, want, what, count=1):
        nonlocal told
        told += count
        rows = settled(made, told)
        check(ends(title) == want, what, f"{ends(title)} {[(it['state'], it.get('result')) for it in rows[:2]]}")

    def fire(title, key=None):
        return pages.trigger(title, 'monitor-3', dedup_key=key, payload={'component': 'queue'}, custom_details={'depth': 9000},
                             links=[{'href': 'https://grafana.example/d/queue', 'text': 'Queue'}])

    key = fire(printer)
    check(bool(key), 'the client reads the key of what it opened', key)
    then(printer, [False], 'a page opens an incident')
    check(fire(printer, key) == key, 'told again, it has the same key')
    then(printer, [False], 'and is the same incident')
    check(pages.acknowledge(key) == key, 'it is acknowledged')
    then(printer, [False], 'and still open')
    pages.resolve(key)
    then(printer, [True], 'it is resolved')
    pages.resolve(key)
    then(printer, [True], 'once, however often that is told')

    pages.resolve(paper)
    told += 1
    settled(made, told)
    here = [it for it in ok('commander', 'GET', '/incidents?limit=200')['items'] if svc in it['services']]
    check(all(it.get('resolved_at') for it in here), 'an end that comes before its beginning leaves nothing open', here)
    for _ in range(3):
        fire(paper, paper)
        pages.resolve(paper)
    then(paper, [True, True, True], 'an alert that flaps is an outage each time, and none stays open', 6)
    fire(paper, paper)
    then(paper, [True, True, True, False], 'and it returns under the same key')
    pages.resolve(paper)
    then(paper, [True] * 4, 'which ends it')

    other = connection('pagerduty', [row('queue', service())])
    pages.trigger(ink, 'monitor-3', dedup_key=ink, payload={'component': 'queue'})
    told += 1
    settled(made, told)
    sender(other).resolve(ink)
    settled(other, 1)
    check(ends(ink) == [False], "another connection's key of the same name is another matter", ends(ink))
    pages.resolve(ink)
    then(ink, [True], 'its own resolves it')

    from pagerduty import Error
    stranger = sender({**made, 'secret': other['secret']})
    try:
        stranger.trigger(mark(), 'monitor-3')
        check(False, 'a wrong routing key is refused')
    except Error as error:
        check(error.response.status_code == 401, 'a wrong routing key is refused', error.response.status_code)

main(run)
