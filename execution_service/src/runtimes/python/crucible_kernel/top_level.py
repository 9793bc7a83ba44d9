"""What the statements of a program call at its top level: not in a function, which may run at any time."""

import _ast

# They run an event loop, which must not be running already.
_DRIVERS = frozenset(("run_until_complete", "run_forever"))
# A notebook's event loop is always running, and its users rely on that.
_NEED_A_LOOP = frozenset(("create_task", "get_running_loop", "current_task", "all_tasks"))
_LATER = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda)
_AWAITS = (_ast.Await, _ast.AsyncFor, _ast.AsyncWith)


def drive_loop(source, statements):
    """For each statement, whether it calls `asyncio.run` and the like, and awaits nothing itself."""
    if "asyncio.run" not in source and not any(name in source for name in _DRIVERS):
        return [False] * len(statements)
    return [_drives_loop(statement) for statement in statements]


def _drives_loop(statement):
    found = False
    for node in _walk(statement):
        if isinstance(node, _AWAITS):
            return False
        if isinstance(node, _ast.Call) and isinstance(node.func, _ast.Attribute):
            name = node.func.attr
            found = found or name in _DRIVERS or (name == "run" and _is_asyncio(node.func.value))
    return found


def asks_for_loop(source, tree, last):
    """Whether the program calls what works only while an event loop is running."""
    if not any(name in source for name in _NEED_A_LOOP):
        return False
    statements = tree.body + ([last] if last is not None else [])
    return any(_needs_a_loop(node) for statement in statements for node in _walk(statement))


def _needs_a_loop(node):
    if not isinstance(node, _ast.Call):
        return False
    function = node.func
    if isinstance(function, _ast.Attribute):
        return function.attr in _NEED_A_LOOP and _is_asyncio(function.value)
    return isinstance(function, _ast.Name) and function.id in _NEED_A_LOOP


def _is_asyncio(node):
    return isinstance(node, _ast.Name) and node.id == "asyncio"


def _walk(node):
    left = [node]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, _LATER):
            continue
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, _ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [item for item in value if isinstance(item, _ast.AST)]
