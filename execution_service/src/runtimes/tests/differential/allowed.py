"""Where Crucible answers otherwise than the bare interpreter, and why. Anything else is a fault.

(language, program) → (modes, of "out", "err" and "status" those that differ, because).
"""

ONCE, SESSION, BOTH = ("once",), ("session",), ("once", "session")
OUT, ERR, STATUS, ALL = ("out",), ("err",), ("status",), ("out", "err", "status")

_NOTEBOOK = "a session is a notebook: it has no file"
_LIVES_ON = "the end of a run is not the end of its process"
_EVAL = "a run of a session is evaluated by its shell, for which an error of this kind ends less, or more"
_FUNCTION = "`trap` is a function in a session, and returns as well"
_DEEPER = "each run of a session is one level deeper, which bash shows by one more +"
_BELOW = "the kernel's own frames are below the program: as many calls fewer fit"
_BYTES = "3.11 counts the bytes of a file, where the characters are meant"
_OWN_LINE = "the line of the program is shown, where Node shows one of its own"
_NO_LINE = "Node shows a line of its own, and where the error was emitted"
_THROWN = "only Node itself shows where such a value was thrown"
_PROPERTIES = "what a run declares can be declared again by the next: it is a property of the global object"
_SCRIPT = "a run of a session is a script of the global scope, and no module: `require` and the like are global"

# Of the whole service, beside the rest.
OF_SANDBOX = {
    ("python", "memory_error"): (BOTH, STATUS, "the answer says that the program was out of memory"),
    ("python", "popen_and_pty"): (BOTH, ALL, "a sandbox has no pseudo-terminals for programs to make"),
}

ALLOWED = {
    ("bash", "getopts"): (SESSION, OUT, "each run is a script, which begins with its first argument"),
    ("bash", "bad_test"): (SESSION, ("err", "status"), _EVAL),
    ("bash", "syntax_in_substitution"): (SESSION, STATUS, _EVAL),
    ("bash", "exit_with_two"): (SESSION, ("out", "status"), _EVAL),
    ("bash", "exit_trap_with_errexit"): (SESSION, ("out", "status"), "an EXIT trap of a session is not stopped by `set -e`"),
    ("bash", "return_trap_of_a_source"): (SESSION, OUT, _FUNCTION),
    ("bash", "traps_and_functions_listed"): (SESSION, OUT, "a run that lists both finds the function that `trap` is"),
    ("bash", "variables_of_ours"): (SESSION, ("out", "status"), "what a session needs between runs is in variables"),
    ("bash", "xtrace_in_depth"): (SESSION, ERR, _DEEPER),
    ("bash", "return_trap"): (SESSION, OUT, _FUNCTION),
    ("bash", "xtrace"): (SESSION, ERR, _DEEPER),
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
    ("python", "own_file_and_arguments"): (SESSION, ALL, _NOTEBOOK),
    ("python", "neighbours_of_the_program"): (SESSION, ALL, _NOTEBOOK),
    ("python", "imports_itself"): (SESSION, ALL, _NOTEBOOK),
    ("python", "reads_its_own_code"): (SESSION, ALL, _NOTEBOOK),
    ("python", "doctests"): (SESSION, OUT, _NOTEBOOK),
    ("python", "exit_in_a_generator"): (SESSION, OUT, _LIVES_ON),
    ("python", "exit_function_exits"): (SESSION, ALL, _LIVES_ON),
    ("python", "asyncio_run_inside"): (SESSION, ERR, _LIVES_ON),
    ("python", "exit_functions_in_order"): (SESSION, OUT, _LIVES_ON),
    ("python", "exit_in_callbacks"): (SESSION, OUT, _LIVES_ON),
    ("python", "unraisable"): (SESSION, OUT, "the last value is kept, as `_`"),
    ("python", "pending_task_at_the_end"): (BOTH, ERR, "what is dropped together is finalized in another order"),
    ("python", "recursion_uncaught"): (BOTH, ERR, _BELOW),
    ("python", "recursion_of_two"): (BOTH, ERR, _BELOW),
    ("python", "resource_and_limits"): (BOTH, ERR, _BELOW),
    ("python", "frames"): (BOTH, OUT, "nothing can be below a program but the frames that run it"),
    ("python", "syntax_wide_characters"): (BOTH, ERR, _BYTES),
    ("python", "byte_order_mark_and_syntax"): (BOTH, ERR, "3.11 shows the mark as well, and counts its bytes"),
    ("python", "zip_imports"): (BOTH, ERR, "the line is shown, where 3.11 itself looks for it in files only"),
    ("python", "order_with_children"): (BOTH, OUT, "stdout is line-buffered, as on a terminal: the order is the real one"),
    ("python", "spawn_without_the_idiom"): (SESSION, OUT, "a child gets what the runs have defined, not what they did"),
    ("node", "before_exit"): (SESSION, OUT, _LIVES_ON),
    ("node", "uncaught_without_an_error"): (SESSION, ERR, _THROWN),
    ("node", "syntax_template"): (BOTH, ERR, "the place is the parser's, who stops at the template"),
    ("node", "require_missing"): (BOTH, ERR, _OWN_LINE),
    ("node", "event_emitter_error"): (BOTH, ERR, _OWN_LINE),
    ("node", "typed_arrays_and_buffers"): (BOTH, ERR, _OWN_LINE),
    ("node", "json_syntax_error"): (BOTH, ERR, _OWN_LINE),
    ("node", "syntax_in_eval"): (BOTH, ERR, _OWN_LINE),
    ("node", "timer_that_is_no_function"): (BOTH, ERR, _OWN_LINE),
    ("node", "events"): (BOTH, ERR, _OWN_LINE),
    ("node", "stream_error_unheard"): (BOTH, ERR, _OWN_LINE),
    ("node", "file_not_found"): (BOTH, ERR, _OWN_LINE),
    ("node", "paths_and_urls"): (BOTH, ERR, _OWN_LINE),
    ("node", "child_that_fails"): (BOTH, ERR, _OWN_LINE),
    ("node", "crypto_and_zlib"): (BOTH, ERR, _OWN_LINE),
    ("node", "assertions"): (BOTH, ERR, _OWN_LINE),
    ("node", "assertion_of_objects"): (BOTH, ERR, _OWN_LINE),
    ("node", "modules_made_here"): (BOTH, ERR, _OWN_LINE),
    ("node", "module_with_bad_json"): (BOTH, ERR, _OWN_LINE),
    ("node", "file_promise_not_found"): (SESSION, ERR, _NO_LINE),
    ("node", "worker_error_unheard"): (SESSION, ERR, _NO_LINE),
    ("node", "connection_refused_unheard"): (SESSION, ERR, _NO_LINE),
    ("node", "thrown_text"): (SESSION, ERR, _THROWN),
    ("node", "thrown_null"): (SESSION, ERR, _THROWN),
    ("node", "rejected_with_text"): (SESSION, ERR, _THROWN),
    ("node", "rejected_with_undefined"): (SESSION, ERR, _THROWN),
    ("node", "uncaught_monitor"): (SESSION, OUT, _LIVES_ON),
    ("node", "exit_listeners"): (SESSION, OUT, _LIVES_ON),
    ("node", "exit_code_property"): (SESSION, OUT, _LIVES_ON),
    ("node", "before_exit_twice"): (SESSION, OUT, _LIVES_ON),
    ("node", "timers_in_depth"): (SESSION, OUT, "an interval does not keep a run of a session open"),
    ("node", "hoisting"): (SESSION, ALL, _PROPERTIES),
    ("node", "assignment_to_a_constant"): (SESSION, ("err", "status"), _PROPERTIES),
    ("node", "syntax_new_target"): (SESSION, ALL, _SCRIPT),
    ("node", "strict_and_sloppy"): (SESSION, OUT, _SCRIPT),
    ("node", "vm_and_eval"): (SESSION, OUT, _SCRIPT),
    ("node", "dynamic_imports"): (SESSION, OUT, _SCRIPT),
    ("node", "this_is_exports"): (SESSION, OUT, _SCRIPT),
}
