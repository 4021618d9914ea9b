"""The official client of the Model Context Protocol (PyPI `mcp`) drives `assent mcp` as an agent: from a draft to a go for one call."""
from lib import *
import asyncio, pathlib

PROGRAM = os.environ.get('ASSENT_TEST_BINARY') or str(pathlib.Path(__file__).resolve().parents[2] / 'target/debug/assent')
CALL = {'name': 'scale', 'arguments': {'app': 'printer', 'replicas': 3}}


def agent(svc):
    name = 'agent-' + mark()
    ok('admin', 'POST', '/people', {'login': name, 'name': 'Scaling helper', 'roles': ['requester', 'pipeline']})
    ok('admin', 'POST', '/agents', {
        'person': name, 'sponsor': login('implementer'), 'charter': 'Scales the printer.', 'services': [svc], 'environments': ['production'],
        'changes_per_day': 3, 'highest_risk': 'high', 'ends_at': at(days=30)})
    return ok('admin', 'POST', '/tokens', {'name': name, 'person': name, 'scopes': ['read', 'write', 'gate']}).json['token'], name


def change_input(svc):
    return {
        'title': 'Scale the printer', 'description': 'Three of it.', 'justification': 'The queue is long.', 'category': 'application',
        'complexity': 'low', 'impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'}, 'owner': login('requester'),
        'targets': [target(svc)], 'planned_start': at(minutes=-5), 'planned_end': at(hours=2), 'plan': [{'title': 'Scale', 'minutes': 1}],
        'rollback_plan': [{'title': 'Scale back', 'minutes': 1}], 'rollback_minutes': 1}


def approve_as_people(key, artifact):
    submit(key)
    approve_all(key)
    evidence(key, artifact)


async def drive(session, svc, name):
    from mcp import MCPError
    greeted = await session.initialize()
    check(greeted.server_info.name == 'assent', 'the client takes the greeting', greeted.server_info)
    await session.send_ping()
    listed = await session.list_tools()
    names = [tool.name for tool in listed.tools]
    check(names == ['ask', 'draft_change', 'what_changed', 'check_gate'], 'it lists the tools, none of which decides', names)
    drafted = await session.call_tool('draft_change', {'change': change_input(svc), 'tool_call': CALL})
    check(not drafted.is_error, 'the agent drafts', drafted.content[0].text[:200])
    made = drafted.structured_content
    key, artifact = made['key'], made['targets'][0]['artifact']
    check(made['requester'] == name, 'as itself', made['requester'])
    found = await session.call_tool('ask', {'key': key})
    check(found.structured_content['key'] == key, 'and reads its draft', found.content[0].text[:200])
    asked = {'service': svc, 'environment': 'production', 'tool_call': CALL}
    stopped = await session.call_tool('check_gate', asked)
    check(stopped.structured_content['decision'] == 'stop', 'the gate stops the call before people approved', stopped.content[0].text[:200])
    wrong = await session.call_tool('what_changed', {'service': svc, 'hour': 3})
    check(wrong.is_error and 'hour' in wrong.content[0].text, 'an argument that a tool has not is named', wrong.content)
    try:
        await session.call_tool('approve', {'key': key})
        check(False, 'a tool that is not there is an error of the protocol')
    except MCPError as error:
        check(error.error.code == -32602, 'a tool that is not there is an error of the protocol', error)
    return key, artifact, asked


async def at_the_gate(session, asked):
    other = {**asked, 'tool_call': {**CALL, 'arguments': {'app': 'printer', 'replicas': 30}}}
    stopped = await session.call_tool('check_gate', other)
    check(stopped.structured_content['decision'] == 'stop', 'a call with another argument is stopped', stopped.content[0].text[:200])
    let = await session.call_tool('check_gate', asked)
    check(let.structured_content['decision'] == 'go', 'the approved call may go', let.content[0].text[:200])
    check(bool(let.structured_content.get('permit_used_at')), 'and its permit is used up', sorted(let.structured_content))
    again = await session.call_tool('check_gate', asked)
    reasons = [reason['code'] for reason in again.structured_content['reasons']]
    check(reasons == ['permit_used'], 'the same call a second time is stopped', again.content[0].text[:200])


async def talk():
    try:
        from mcp import ClientSession, StdioServerParameters, stdio_client
    except ImportError as error:
        raise Unjudged(f'there is no client: {error}')
    svc = service(criticality='low')
    secret, name = agent(svc)
    server = StdioServerParameters(command=PROGRAM, args=['mcp'], env={'ASSENT_SERVER': SERVER, 'ASSENT_TOKEN': secret})
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        key, artifact, asked = await drive(session, svc, name)
        approve_as_people(key, artifact)
        await at_the_gate(session, asked)
    check(show(key)['state'] == 'implementing', 'the go started the change', show(key)['state'])


def run():
    asyncio.run(talk())


main(run)
