"""Validates the document of a service that runs, makes clients from it and uses them, and looks for
answers that it does not describe. Called by `run`, which has made the tools ready:

    check.py LAUNCHER WORK NODE_MODULES

WORK is an empty folder for what is generated. CONTRACT names the checks to do, all by default.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from service import Service

HERE = pathlib.Path(__file__).parent
TOOLS = pathlib.Path(sys.executable).parent
# Both runs of schemathesis together, in seconds.
FUZZING = {"user": 130, "admin": 40}


def run(*command, cwd=None, **variables):
    """Runs a command to its end; what it says is what we say."""
    command = [str(part) for part in command]
    subprocess.run(command, cwd=cwd, env=os.environ | variables, check=True)


class Checks:
    def __init__(self, service, work, node_modules):
        self.service, self.work, self.node_modules = service, work, node_modules
        self.admin = service.sign_in("admin", service.password)
        self.user = service.user("contract")
        self.document = work / "openapi.json"
        self.document.write_text(json.dumps(service.call("GET", "/openapi.json"), indent=1))
        self.access = {"CRUCIBLE_URL": service.url, "CRUCIBLE_TOKEN": self.user}

    def validity(self):
        """The document is what it says it is, OpenAPI 3.1, and each operation has a name of its own."""
        run(TOOLS / "openapi-spec-validator", "--subschema-errors", "all", self.document)
        names = [
            operation.get("operationId")
            for methods in json.loads(self.document.read_text())["paths"].values()
            for method, operation in methods.items()
            if method in ("get", "put", "post", "delete", "head", "patch")
        ]
        repeated = sorted({str(name) for name in names if name is None or names.count(name) > 1})
        if repeated:
            raise ValueError(f"operationIds that are missing or repeated: {', '.join(repeated)}")

    def python(self):
        """A Python client is generated without a warning, and does what callers do."""
        config = self.work / "python.json"
        # No formatter: nobody reads it.
        name = "crucible_client"
        settings = {"package_name_override": name, "project_name_override": name, "post_hooks": []}
        config.write_text(json.dumps(settings))
        target = self.work / "python" / name
        target.parent.mkdir()
        generate = ["generate", "--path", self.document, "--meta", "none", "--fail-on-warning"]
        run(TOOLS / "openapi-python-client", *generate, "--config", config, "--output-path", target)
        paths = {"PYTHONPATH": str(target.parent), "CRUCIBLE_ADMIN_TOKEN": self.admin}
        run(sys.executable, HERE / "python_client.py", **self.access, **paths)

    def typescript(self):
        """Types for TypeScript are generated, and a program that uses them compiles and runs."""
        project = self.work / "typescript"
        shutil.copytree(HERE / "typescript", project)
        (project / "node_modules").symlink_to(self.node_modules)
        commands = self.node_modules / ".bin"
        run(commands / "openapi-typescript", self.document, "-o", project / "schema.d.ts", cwd=project)
        run(commands / "tsc", "--noEmit", cwd=project)
        run(commands / "tsc", cwd=project)
        run("node", project / "built" / "client.js", cwd=project, **self.access)

    def fuzzing(self):
        """What is sent by the document is answered by the document, whoever sends it."""
        failed = [name for name in FUZZING if not self.fuzzed_by(name)]
        if failed:
            raise ValueError(f"schemathesis as {' and as '.join(failed)}")

    def fuzzed_by(self, name):
        """As an ordinary user everything is tried; as an administrator what only administrators may,
        but not what would end the service for everybody after it."""
        config, token = HERE / f"schemathesis-{name}.toml", {"user": self.user, "admin": self.admin}[name]
        budget = ["--max-time", FUZZING[name], "--header", f"Authorization: Bearer {token}"]
        report = ["--report", "ndjson", "--report-ndjson-path", self.work / f"schemathesis-{name}.ndjson"]
        command = [TOOLS / "schemathesis", "--config-file", config, "run", self.document]
        command += ["--url", self.service.url, *budget, *report]
        code = "print('an execution with output'); 1 / 0"
        body = {"language": "python", "code": code}
        execution = self.service.call("POST", "/v1/code_interpreter/run", token, body)["execution_id"]
        hooks = str(HERE / "refusals.py")
        environment = os.environ | {"CRUCIBLE_EXECUTION": execution, "SCHEMATHESIS_HOOKS": hooks}
        command = [str(part) for part in command]
        return subprocess.run(command, cwd=self.work, env=environment, check=False).returncode == 0


def main(launcher, work, node_modules):
    wanted = os.environ.get("CONTRACT", "validity python typescript fuzzing").split()
    failed = []
    with Service(launcher) as service:
        checks = Checks(service, pathlib.Path(work), pathlib.Path(node_modules))
        for name in wanted:
            check, began = getattr(checks, name), time.monotonic()
            print(f"== {name}: {check.__doc__}", flush=True)
            try:
                check()
                verdict = "ok"
            except (subprocess.CalledProcessError, ValueError) as error:
                print(error)
                verdict = "FAILED"
                failed.append(name)
            print(f"{verdict:7} {name} ({time.monotonic() - began:.0f} s)", flush=True)
        if service.process.poll() is not None:
            failed.append("the service has ended meanwhile")
        errors = [line for line in service.logged().splitlines() if '"level":"ERROR"' in line]
        if errors:
            print("\n".join(errors))
    print(f"contract: {len(wanted) - len(failed)} of {len(wanted)} checks passed")
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
