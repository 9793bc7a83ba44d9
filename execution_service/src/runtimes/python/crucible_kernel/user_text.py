"""Words in a program that tell what it may need, where finding out for certain would cost every program."""

# It reads, starts or imports its own file.
USERS_OF_THE_FILE = (
    "__file__", "argv", "main.py", "multiprocessing", "ProcessPool", "joblib", "runpy", "sourcefile", "getfile",
    "import main", "from main", '"main"', "'main'",
)

# It imports something.
IMPORTS = ("import ", "__import__", "import_module")
