"""Runs scim2-tester, which is a library, against a server: argument the base URL, SCIM_TOKEN in the environment."""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

base = sys.argv[1]
headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}

with Client(base_url=base, headers=headers, timeout=30, trust_env=False) as http:
    results = check_server(SyncSCIMClient(http))

# SKIPPED is no success: a check that did not run has shown nothing.
good = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
for result in results:
    if result.status not in good:
        print(f"{result.status.name} {result.resource_type or ''} {result.title}: {result.reason}\n    {result.data}")

passed = sum(result.status in good for result in results)
print(f"scim2-tester: {passed}/{len(results)} checks")
sys.exit(0 if results and passed == len(results) else 1)
