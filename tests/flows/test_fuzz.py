"""The fuzz (`make fuzz`) has ids for every path, and knows whom an operation refuses at the door."""

import re

from aiffinity.lib.api_docs import openapi_document
from bench.fuzz.callers import closed_to
from bench.fuzz.ids import ROWS


def test_every_path_of_the_document_gets_ids_of_what_there_is():
    named = {frozenset(re.findall(r"\{(\w+)\}", path)) for path in openapi_document()["paths"]}
    assert named - {frozenset()} == {frozenset(names) for names in ROWS}


def test_a_developer_is_refused_nowhere_and_an_app_where_a_user_has_to_call():
    document = openapi_document()
    assert closed_to("developer", document) == []
    for caller, is_closed in (("app", False), ("user", True), ("nobody", True)):
        assert ("getRuntimeApp" in closed_to(caller, document)) is is_closed, caller
    for caller, is_closed in (("app", True), ("user", False), ("nobody", True)):
        assert ("listInstalls" in closed_to(caller, document)) is is_closed, caller
    assert not {"login", "listCatalog"} & set(closed_to("nobody", document))
