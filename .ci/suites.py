"""Plays an independent conformance suite against a running server.

    SCIM_TOKEN=... suites.py scim2-tester|scim-sanity BASE_URL

Succeeds when every check passes, none is passed over but those named here, and there are as many as there should be.
"""

import os
import sys


def scim2_tester(base, token):
    """Yields the verdict, name and words of each check."""
    from httpx2 import Client
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    good = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
    # A proxy of the environment is no way to a server on this machine.
    with Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False) as http:
        for check in check_server(SyncSCIMClient(http)):
            verdict = "pass" if check.status in good else "skip" if check.status == Status.SKIPPED else "fail"
            yield verdict, f"{check.resource_type or ''} {check.title}".strip(), f"{check.reason}\n    {check.data}"


def scim_sanity(base, token):
    """The same of the other suite, whose warnings count as failures here."""
    from scim_sanity.probe.runner import run_probe_api

    verdicts = {"pass": "pass", "skip": "skip"}
    for check in run_probe_api(base, token=token)["results"]:
        yield verdicts.get(check["status"].lower(), "fail"), check["name"], check.get("message", "")


SUITES = {"scim2-tester": scim2_tester, "scim-sanity": scim_sanity}

# How many checks must pass: a server whose discovery hides half of it is asked less, and must not look better for it.
FEWEST = {"scim2-tester": 145, "scim-sanity": 28}

# What a suite passes over when a server does not offer it, by its own rules: agents belong to a draft and are asked for only where
# ResourceTypes names them.
OPTIONAL = {
    "scim2-tester": set(),
    "scim-sanity": {"Agent CRUD Lifecycle", "AgenticApplication CRUD Lifecycle", "Agent Rapid Lifecycle"},
}


def main(suite, base):
    counts = {"pass": 0, "fail": 0, "skip": 0}
    for verdict, name, words in SUITES[suite](base, os.environ["SCIM_TOKEN"]):
        if verdict == "skip" and name not in OPTIONAL[suite]:
            verdict = "fail"
        counts[verdict] += 1
        if verdict != "pass":
            print(f"{verdict.upper()} {name}: {words}")
    asked = counts["pass"] + counts["fail"]
    print(f"{suite}: {counts['pass']}/{asked} checks, {counts['skip']} not asked because they are optional")
    if counts["pass"] < FEWEST[suite]:
        print(f"{suite}: at least {FEWEST[suite]} were to pass")
    return 0 if counts["fail"] == 0 and counts["pass"] >= FEWEST[suite] else 1


sys.exit(main(*sys.argv[1:]))
