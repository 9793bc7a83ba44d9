"""One short sentence on how to repair the common mistakes; None where nothing certain can be said."""

import errno
import os
import re
import sys

from .ipython.shell import is_installed, shell
from .suggestions import suggestion_for

# Import names whose package is called otherwise.
_PACKAGE_OF = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}
_LISTED_FILES = 20
_LONGEST_CHAIN = 20


_INSTALLS = re.compile(r"(?:python3? -m )?(?:pip3?|conda|uv pip) install\b")
# What a line has, what that is, and what does the same.
_NOTATION = (
    (re.compile(r"^%|=\s*%"), "Magics belong to", "the modules behind them, such as timeit, or a session of bash"),
    (re.compile(r"^!|=\s*!"), "`!command` belongs to", "subprocess.run(), or a session of bash"),
    (re.compile(r"^\?|\?$"), "`?` belongs to", "help() or inspect.getsource()"),
)
_NO_ADDRESS = (-2, -3, -5)  # of getaddrinfo(3): EAI_NONAME, EAI_AGAIN, EAI_NODATA


def hint_for(error, first_run):
    """`first_run`: no code ran in this interpreter before, so no earlier name can exist."""
    try:
        if isinstance(error, SyntaxError) and error.msg == "'await' outside function":
            return "`await` works at the top level and in an `async def`, but not in what %time and %%time run."
        if isinstance(error, SyntaxError):
            return _not_python(error)
        if any(_is_without_network(link) for link in _chain(error)):
            return "No host can be looked up or reached: a sandbox has no network unless the operator allows it."
        if isinstance(error, ModuleNotFoundError):
            return _missing_module(error)
        if isinstance(error, NameError) and str(error) == "name 'get_ipython' is not defined":
            return _without_ipython("get_ipython() belongs to", "the modules behind its magics, or subprocess.run()")
        if type(error).__name__ == "UsageError" and "Line magic function `%%" in str(error):
            return "A cell magic (%%) is the first line of the code, and the rest of the code is its text."
        said = suggestion_for(error)
        if said:
            return said[2:]
        if isinstance(error, NameError) and not isinstance(error, UnboundLocalError) and first_run:
            return "This is the first run of this interpreter: names of earlier runs do not exist in it."
        if isinstance(error, FileNotFoundError):
            return _missing_file(error)
        if isinstance(error, EOFError):
            return "Standard input is at its end: send what the program reads as `stdin`."
    except Exception:  # a hint is never worth a failed answer
        return None
    return None


def _is_without_network(error):
    if type(error).__name__ == "gaierror":
        return error.errno in _NO_ADDRESS
    return isinstance(error, OSError) and error.errno == errno.ENETUNREACH


def _chain(error):
    # What a library for HTTP raises has the reason behind it.
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _not_python(error):
    # Of notebooks and of Markdown, where it stands at the beginning of a line.
    line = (error.text or "").strip()
    if line.startswith(("```", "~~~")):
        return "The code has Markdown fences (%s): send only what is between them." % line[:3]
    if _INSTALLS.match(line):
        return "This is a command of the shell: write it with a mark, `%pip install …` or `!pip install …`."
    for begins, what, instead in _NOTATION:
        if begins.search(line):
            return _without_ipython(what, instead)
    return None


def _without_ipython(what, instead):
    if not is_installed():
        return "%s IPython, which is not installed here: use %s." % (what, instead)
    if shell.problem is not None:
        return "%s IPython, which cannot be loaded (%s): use %s." % (what, shell.problem, instead)
    return None  # it has been looked at, and is not IPython's either


def _missing_module(error):
    import difflib
    import pkgutil

    wanted = error.name.split(".")[0]
    if wanted in sys.modules and "." in error.name:
        return "The package %s is installed, but has no module %s." % (wanted, error.name)
    installed = {module.name for module in pkgutil.iter_modules()}
    installed.update(sys.builtin_module_names)
    close = difflib.get_close_matches(wanted, sorted(installed), n=3, cutoff=0.75)
    package = _PACKAGE_OF.get(wanted)
    said = "%s is not installed here" % wanted
    if package:
        said += " (its package is called %s)" % package
    if close:
        said += "; installed and similar: " + ", ".join(close)
    return said + "."


def _missing_file(error):
    if not isinstance(error.filename, str):
        return None
    folder = os.path.dirname(error.filename) or "."
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return "The folder %s does not exist; the working directory is %s." % (folder, os.getcwd())
    shown = ", ".join(names[:_LISTED_FILES]) or "nothing"
    more = ", … (%d in all)" % len(names) if len(names) > _LISTED_FILES else ""
    return "%s holds: %s%s" % (os.path.abspath(folder), shown, more)
