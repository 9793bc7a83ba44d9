"""A check for schemathesis: what the document allows is taken, or refused for a reason that no schema
can state. It stands in place of `positive_data_acceptance`, which knows no such reasons."""

import re

import schemathesis

# What each refusal says. A rule that a schema can state belongs into the document and not here.
BEYOND_A_SCHEMA = re.compile(
    "|".join(
        [
            "must be in the future",  # now is no constant
            "must be the next_cursor of the page before",  # of this list
            "must be one of ",  # the languages that run here
            "the language .* takes none|is not allowed.*compiler_flags in GET",  # one field by another
            r"must be between \d+ and \d+$",  # limits that the worker's operator has set
            r"must be above 0 and at most \d+ seconds$",  # the most is the operator's
            "is the session's, for a run in one",  # one field by another
            "must not be the user name",  # one field by another
            "must be a form of files",  # what a form is
            "is for detached runs",  # one field by another
            "entity tags in double quotes",  # the document has a pattern, which is not followed in headers
            "must have two hexadecimal digits after each",  # one field by another
            "must be given, or a context_id in its place|stands only beside the session_id",  # one field by another
            "must be a directory of the workspace",  # what is in the workspace
            r"must have (1 to|at most|fewer than) \d+ bytes",  # a schema counts characters
            "is fixed when the session is created",  # by what the session was made with
            "must not (stand|be) .*twice|is given twice|lies? (in|below) ",  # names among names
            r"must name a file|must not contain '\.\.'|must be relative",  # what a path comes to, segment by segment
        ]
    )
)
REFUSALS = {400, 405, 406, 408, 410, 411, 413, 414, 415, 417, 422, 431}


@schemathesis.check
def valid_requests_are_taken(ctx, response, case):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # 416 is not among them: how long an output is, is not in the document.
    if response.status_code not in REFUSALS:
        return
    problem = response.json()
    reasons = [error["msg"] for error in problem.get("errors", [])]
    if response.status_code == 422 and reasons and all(map(BEYOND_A_SCHEMA.search, reasons)):
        return
    # Neither what an archive is, nor which programs there are, can be said in a schema.
    if problem.get("code") in {"archive_refused", "not_executable"}:
        return
    # A session's id that is well formed and was somebody's, long ago.
    if problem.get("code") in {"session_expired", "session_lost", "output_expired", "output_gone"}:
        return
    raise AssertionError(f"refused although the document allows it: {problem.get('detail')}")
