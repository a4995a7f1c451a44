"""What an OpenAPI document has no words for, so that requests get as far as they are meant to."""

from itertools import count

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

SELECTION = ["attributes", "excludedAttributes"]
EXCLUSIVE = [SELECTION, ["startIndex", "cursor"]]
CONDITIONS = ["If-Match", "If-None-Match"]
UNIQUE = ["userName", "displayName"]

numbers = count(1)


@schemathesis.hook
def map_case(context, case):
    meta = case.meta
    if meta is None:
        return case
    if case.query and not meta.is_negative_at(ParameterLocation.QUERY):
        alternatives(case.query)
        if case.method != "GET":
            # So that the whole answer is looked at.
            without(case.query, SELECTION)
    if case.headers and not meta.is_negative_at(ParameterLocation.HEADER) and meta.phase.name != TestPhase.STATEFUL:
        # A tag by chance is that of no version: nothing but 412 would come. Where links lead, tags are those of answers.
        without(case.headers, CONDITIONS)
    if isinstance(case.body, dict) and not meta.is_negative_at(ParameterLocation.BODY):
        alternatives(case.body)
    if isinstance(case.body, dict):
        # The same name each time would be 409 each time, whatever else is right or wrong.
        for name in UNIQUE:
            value = case.body.get(name)
            if isinstance(value, str) and value.isalnum():
                case.body[name] = f"{value}{next(numbers)}"
    return case


def alternatives(asked):
    """Leaves one of two that exclude each other (RFC 7644 section 3.9, RFC 9865 section 2), now this and now that."""
    for names in EXCLUSIVE:
        if all(name in asked for name in names):
            without(asked, [names[next(numbers) % 2]])
    if "cursor" in asked:
        # Only that of the first page is known.
        asked["cursor"] = ""


def without(values, names):
    for name in names:
        values.pop(name, None)
