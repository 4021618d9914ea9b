"""Clients that others' generators make from the document as it is served: openapi-python-client and openapi-typescript. Each is
made whole, imported, and used to read, to write and to be refused; what it says of answers is what comes."""
from lib import *
import importlib, os, pathlib, shutil, subprocess, tempfile

MODULES = os.environ.get('ASSENT_TEST_NODE_MODULES')

DRAFT = {
    'title': 'Made by a generated client', 'description': 'One zone.', 'justification': 'It is tested.', 'complexity': 'low',
    'impact': {'data': 'none', 'availability': 'low', 'compliance': 'none'},
    'targets': [{'service': 'edge-dns', 'environment': 'production'}],
    'plan': [{'title': 'Deploy'}], 'rollback_plan': [{'title': 'Deploy the old one'}],
}

# A draft may lack everything; what is refused names a service that there is not.
REFUSED = {**DRAFT, 'targets': [{'service': 'no-such-service', 'environment': 'production'}]}

def run(what, command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    said = (done.stdout + done.stderr)[-3000:]
    check(done.returncode == 0, what, said if done.returncode else '')
    return done.returncode == 0, done.stdout, done.stderr

def operations(document):
    found = [it for path in document['paths'].values() for it in path.values() if isinstance(it, dict) and 'operationId' in it]
    return sorted(it['operationId'] for it in found)

def python_client(folder, document):
    config = folder / 'python.yaml'
    # The formatter that it would run afterwards changes nothing of what the client does.
    config.write_text('post_hooks: []\nproject_name_override: made\npackage_name_override: made\n')
    command = [sys.executable, '-m', 'openapi_python_client', 'generate', '--path', str(folder / 'openapi.json'), '--meta', 'none',
               '--config', str(config), '--output-path', str(folder / 'made')]
    is_made, out, err = run('openapi-python-client makes a client', command, folder)
    if not is_made:
        return
    left_out = [line for line in (out + err).splitlines() if 'Endpoint will not be generated' in line or 'Unable to parse' in line]
    check(not left_out, 'it leaves no route and no shape out', left_out[:10])
    made = {path.stem for path in (folder / 'made' / 'api').glob('*/*.py')}
    missing = [name for name in operations(document) if name not in made]
    check(not missing, 'each operation has a function', missing[:20])
    sys.path.insert(0, str(folder))
    client = importlib.import_module('made').AuthenticatedClient(base_url=SERVER, token=token('requester'))
    for path in sorted((folder / 'made' / 'api').glob('*/*.py')):
        if path.stem != '__init__':
            importlib.import_module('.'.join(path.relative_to(folder).with_suffix('').parts))
    call = lambda tag, name: importlib.import_module(f'made.api.{tag}.{name}')
    tag_of = {it['operationId']: it['tags'][0].replace('-', '_').replace(' ', '_').lower()
              for path in document['paths'].values() for it in path.values() if isinstance(it, dict) and 'operationId' in it}
    models = importlib.import_module('made.models')
    listed = call(tag_of['list_services'], 'list_services').sync(client=client, limit=2)
    check([type(it).__name__ for it in listed.items] == ['Service', 'Service'], 'services are read as services', listed)
    made = call(tag_of['create_change'], 'create_change').sync_detailed(client=client, body=models.NewChange.from_dict(DRAFT))
    check(made.status_code == 201 and made.parsed.key.startswith('CHG-'), 'a change is made', made)
    shown = call(tag_of['show_change'], 'show_change').sync(made.parsed.key, client=client)
    check(shown.title == DRAFT['title'] and shown.targets[0].service == 'edge-dns', 'and read again', shown)
    refused = call(tag_of['create_change'], 'create_change').sync_detailed(client=client, body=models.NewChange.from_dict(REFUSED))
    check(refused.status_code == 422 and type(refused.parsed).__name__ == 'Problem', 'a refusal is read as a problem', refused)

USE = '''
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

const [server, token, draft, wrong] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths>({ baseUrl: server, headers: { authorization: `Bearer ${token}` } });

const listed = await client.GET("/api/v1/services", { params: { query: { limit: 2 } } });
if (listed.data === undefined) throw new Error(`${listed.response.status}`);
const services: components["schemas"]["Service"][] = listed.data.items;
const body: components["schemas"]["NewChange"] = JSON.parse(draft);
const made = await client.POST("/api/v1/changes", { body });
if (made.data === undefined) throw new Error(JSON.stringify(made.error));
const path = { key: made.data.key! };
const shown = await client.GET("/api/v1/changes/{key}", { params: { path } });
const refused = await client.POST("/api/v1/changes", { body: JSON.parse(wrong) as components["schemas"]["NewChange"] });
console.log(JSON.stringify({
  services: services.map((it) => it.key), key: made.data.key, title: shown.data?.title,
  refused: refused.error?.code, status: refused.response.status,
}));
'''

# What is not served, or not so, does not compile.
MISUSE = '''
import createClient from "openapi-fetch";
import type { paths } from "./openapi.js";
const client = createClient<paths>({ baseUrl: "" });
// @ts-expect-error there is no such path
await client.GET("/api/v1/nowhere");
// @ts-expect-error a limit is a number
await client.GET("/api/v1/services", { params: { query: { limit: "two" } } });
'''

def typescript_client(folder):
    if not MODULES:
        raise Unjudged('ASSENT_TEST_NODE_MODULES is not set: run by cargo xtask test')
    (folder / 'node_modules').symlink_to(MODULES)
    (folder / 'package.json').write_text('{"type": "module", "private": true}')
    tool = lambda name: str(pathlib.Path(MODULES) / '.bin' / name)
    is_made, _, _ = run('openapi-typescript makes types', [tool('openapi-typescript'), 'openapi.json', '--output', 'openapi.ts'], folder)
    if not is_made:
        return
    (folder / 'use.ts').write_text(USE)
    (folder / 'misuse.ts').write_text(MISUSE)
    compiler = [tool('tsc'), '--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', 'use.ts', 'misuse.ts']
    # Node's own types are another package, and two words of it are used.
    (folder / 'node.d.ts').write_text('declare const process: { argv: string[] };')
    is_made, _, _ = run('they and what uses them compile', compiler + ['node.d.ts'], folder)
    if not is_made:
        return
    is_done, out, _ = run('the client runs', ['node', 'use.js', SERVER, token('requester'), json.dumps(DRAFT), json.dumps(REFUSED)], folder)
    if not is_done:
        return
    said = json.loads(out)
    check(len(said['services']) == 2 and all(said['services']), 'services are read', said)
    check(said['key'].startswith('CHG-') and said['title'] == DRAFT['title'], 'a change is made and read again', said)
    check(said['status'] == 422 and said['refused'] == 'invalid', 'a refusal is read as a problem', said)

def case():
    document = http('GET', '/api/openapi.json')
    check(document.status == 200, 'the document is served', document.status)
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        (folder / 'openapi.json').write_bytes(document.raw)
        python_client(folder, document.json)
        typescript_client(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

main(case)
