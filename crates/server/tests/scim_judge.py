"""Judges a SCIM server with scim2-tester: `python scim_judge.py BASE TOKEN` prints one JSON line a check."""

import json
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

base, token = sys.argv[1:3]
http = httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60)
client = SyncSCIMClient(http)
client.discover()
for result in check_server(client):
    print(json.dumps({"status": result.status.name, "title": result.title, "reason": str(result.reason)}))
