"""Uses the client that openapi-python-client makes from the document: a run, a session, a list, a user.

The functions are found by the path and the method that they call, not by a name that the generator
chose: what they are called is the document's business.
"""

import importlib
import os
import pkgutil
import re
import sys

import crucible_client
from crucible_client import AuthenticatedClient
from crucible_client.types import UNSET

URL = os.environ["CRUCIBLE_URL"]


def operations():
    """Every operation's module, by method and path."""
    found = {}
    package = importlib.import_module("crucible_client.api")
    for module in pkgutil.walk_packages(package.__path__, "crucible_client.api."):
        if module.ispkg:
            continue
        loaded = importlib.import_module(module.name)
        with open(loaded.__file__, encoding="utf-8") as source:
            text = source.read()
        method = re.search(r'"method": "(\w+)"', text)
        path = re.search(r'"url": "([^"]+)"', text)
        if method and path:
            name = re.sub(r"\{\w+\}", "{}", path[1])
            assert (method[1], name) not in found, f"{method[1]} {name} twice"
            found[method[1], name] = loaded
    return found


def main():
    known = operations()
    client = AuthenticatedClient(base_url=URL, token=os.environ["CRUCIBLE_TOKEN"])
    admin = AuthenticatedClient(base_url=URL, token=os.environ["CRUCIBLE_ADMIN_TOKEN"])

    def call(method, path, *arguments, by=client, status=200, **named):
        answer = known[method, path].sync_detailed(*arguments, client=by, **named)
        assert answer.status_code == status, (method, path, answer)
        return answer.parsed

    def body(method, path, **fields):
        """A body of the type that the operation asks for."""
        import inspect
        import typing

        annotation = inspect.signature(known[method, path].sync_detailed).parameters["body"].annotation
        types = [kind for kind in typing.get_args(annotation) or (annotation,) if hasattr(kind, "from_dict")]
        return types[0].from_dict(fields)

    runs, sessions = "/v1/code_interpreter/run", "/v1/code_interpreter/sessions"
    run = call("post", runs, body=body("post", runs, language="python", code="print(6 * 7)"))
    assert (str(run.status), run.stdout, run.exit_code) == ("succeeded", "42\n", 0), run

    made = body("post", sessions, language="python", ttl=60, metadata={"purpose": "contract"})
    session = call("post", sessions, body=made, status=201)
    assert session.metadata.to_dict() == {"purpose": "contract"}, session
    for code, expected in [("x = 41", ""), ("print(x + 1)", "42\n")]:
        step = body("post", runs, language="python", code=code, session_id=session.session_id)
        assert call("post", runs, body=step).stdout == expected
    shown = call("get", f"{sessions}/{{}}", session.session_id)
    assert shown.session_id == session.session_id
    assert call("delete", f"{sessions}/{{}}", session.session_id).success
    gone = call("get", f"{sessions}/{{}}", session.session_id, status=404)
    assert gone.code == "session_not_found" and gone.request_id, gone

    page = call("get", "/v1/code_interpreter/executions", limit=2)
    assert len(page.data) == 2 and page.next_cursor, page
    rest = call("get", "/v1/code_interpreter/executions", limit=250, cursor=page.next_cursor)
    assert run.execution_id in [each.execution_id for each in rest.data], rest

    failed = call("post", runs, body=body("post", runs, language="python", code="1 / 0"))
    assert str(failed.status) == "failed" and failed.diagnostic.name == "ZeroDivisionError", failed
    wrong = call("post", runs, body=body("post", runs, language="python", code=" "), status=422)
    assert wrong.code == "validation_failed" and wrong.errors[0].loc == "code", wrong

    users = "/v1/users"
    new = body("post", users, username="made-by-the-client", password="long enough")
    user = call("post", users, by=admin, body=new, status=201)
    assert user.disabled_at in (None, UNSET), user
    assert user.id in [each.id for each in call("get", users, by=admin).data]
    assert call("post", f"{users}/{{}}/disable", user.id, by=admin).disabled_at
    assert call("post", f"{users}/{{}}/enable", user.id, by=admin).disabled_at is None
    call("delete", f"{users}/{{}}", user.id, by=admin, status=204)
    call("get", f"{users}/{{}}", user.id, by=admin, status=404)
    call("get", users, status=403)
    print(f"{len(known)} operations of {crucible_client.__name__}; a run, a session, lists, a user, problems")


sys.exit(main())
