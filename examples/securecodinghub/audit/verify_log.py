#!/usr/bin/env python3
"""Checks a provisioning log with nothing but SHA-256 and JSON.

    securecodinghub log --org NAME --json > log.jsonl
    python3 verify_log.py ID < log.jsonl

ID is the id of the organisation, which `securecodinghub org list --json` shows. Where the log was cut, give the position and hash of
the checkpoint too, as `securecodinghub audit verify --json` shows it:

    python3 verify_log.py ID HASH@POSITION < log.jsonl

Prints the head of the log as HASH@POSITION, and fails where the log is no chain.
"""

import hashlib
import json
import sys


def canonical(value):
    """JSON as RFC 8785 writes it: of an entry, whose names are ASCII and whose numbers are whole, this is all there is to it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def main(tenant, checkpoint=None):
    if checkpoint:
        digits, position = checkpoint.split("@")
        head, position = bytes.fromhex(digits), int(position)
    else:
        head, position = hashlib.sha256(b"scimwright log 1\n" + tenant.encode()).digest(), 0
    for line in sys.stdin.buffer:
        entry = json.loads(line)
        given = entry.pop("hash")
        if entry["position"] != position + 1:
            sys.exit(f"entry {position + 1} is missing: the next one is {entry['position']}")
        position += 1
        head = hashlib.sha256(head + canonical(entry)).digest()
        if head.hex() != given:
            sys.exit(f"the hash of entry {position} does not follow from what stands before it")
    print(f"{head.hex()}@{position}")


if __name__ == "__main__":
    main(*sys.argv[1:])
