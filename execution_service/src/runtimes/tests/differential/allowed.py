"""Where Crucible answers otherwise than the bare interpreter, and why. Anything else is a fault.

(language, program) → (modes, of "out", "err" and "status" those that differ, because).
"""

ONCE, SESSION, BOTH = ("once",), ("session",), ("once", "session")
OUT, ERR, STATUS, ALL = ("out",), ("err",), ("status",), ("out", "err", "status")

_NOTEBOOK = "a session is a notebook: it has no file"
_LIVES_ON = "the end of a run is not the end of its process"
_EVAL = "a run of a session is evaluated by its shell, and bash says so: `eval: line 4`"
_OWN_LINE = "the line of the program is shown, where Node shows one of its own"

ALLOWED = {
    ("bash", "getopts"): (SESSION, OUT, "each run is a script, which begins with its first argument"),
    ("bash", "syntax_error_in_the_middle"): (SESSION, ERR, _EVAL),
    ("bash", "unterminated_quote"): (SESSION, ERR, _EVAL),
    ("bash", "bad_test"): (SESSION, ("err", "status"), _EVAL),
    ("bash", "return_trap"): (SESSION, OUT, "`trap` is a function there, and returns as well"),
    ("bash", "xtrace"): (SESSION, ERR, "each run is one level deeper, which bash shows by one more +"),
    ("python", "own_file"): (SESSION, ALL, _NOTEBOOK),
    ("python", "starts_itself"): (SESSION, ALL, _NOTEBOOK),
    ("python", "module_attributes"): (SESSION, ALL, _NOTEBOOK),
    ("python", "exit_functions"): (SESSION, OUT, _LIVES_ON),
    ("python", "exit_function_after_an_error"): (SESSION, OUT, _LIVES_ON),
    ("python", "error_in_an_exit_function"): (SESSION, ERR, _LIVES_ON),
    ("python", "thread_at_the_end"): (SESSION, OUT, _LIVES_ON),
    ("python", "finalizer"): (SESSION, OUT, _LIVES_ON),
    ("python", "indentation_error"): (BOTH, ERR, "3.11 underlines a word of a string, and a column of a file"),
    ("python", "tab_error"): (BOTH, ERR, "the same"),
    ("node", "before_exit"): (SESSION, OUT, _LIVES_ON),
    ("node", "uncaught_without_an_error"): (SESSION, ERR, "only Node itself shows where such a value was thrown"),
    ("node", "syntax_template"): (BOTH, ERR, "the place is the parser's, who stops at the template"),
    ("node", "require_missing"): (BOTH, ERR, _OWN_LINE),
    ("node", "event_emitter_error"): (BOTH, ERR, _OWN_LINE),
    ("node", "this_is_exports"): (SESSION, OUT, "a run of a session is a script of the global scope, and no module"),
}
