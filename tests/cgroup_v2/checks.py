"""One scenario in the emulated machine: starts the launcher, checks what an LLM backend would see,
ends the launcher, checks that nothing is left. Each check prints one line, PASS or FAIL.

    checks.py NAME EXPECTED_STATE_OF_THE_CGROUP_WALLS [FLAG_OF_THE_LAUNCHER…]

Time limits are generous: an emulated machine is some 30 times slower than a real one.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request

ADDRESS = "http://127.0.0.1:8000"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
ADMIN = {"username": "admin", "password": "correct horse battery staple"}
PATIENCE_S = 90
MIB = 1 << 20

ENVIRONMENT = dict(
    os.environ,
    ADMIN_USERNAME=ADMIN["username"],
    ADMIN_PASSWORD=ADMIN["password"],
    LOG_LEVEL="warn",
    SUPPORTED_LANGUAGES="python,bash",
    INITIAL_POOL_SIZE="1",
    MAX_POOL_SIZE="4",
)
CGROUP_WALLS = ["cgroup_memory", "cgroup_pids", "cgroup_cpu"]

PROCESSES = 24
FORK_BOMB = """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        count += 1
except OSError:
    print("refused after", count, flush=True)
os._exit(0)
"""
MEMORY_BOMB = """
print("before", flush=True)
held = []
while True:
    held.append(b"x" * (1 << 20))
"""
BUSY_LOOP = """
print("before", flush=True)
while True:
    pass
"""


@contextlib.contextmanager
def check(name):
    """Reports what the block asserts; a failure does not keep the next one from being looked at."""
    started = time.monotonic()
    try:
        yield
        verdict, reason = "PASS", ""
    except AssertionError as failure:
        verdict, reason = "FAIL", f": {failure}"
    except Exception:
        verdict, reason = "FAIL", f": {traceback.format_exc()}"
    print(f"{verdict} {SCENARIO}: {name} ({time.monotonic() - started:.0f} s){reason}", flush=True)


def call(method, path, body=None, token=None):
    request = urllib.request.Request(ADDRESS + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.code} {error.read().decode()}") from error


def until(condition, what):
    """Waits until `condition()` is truthy, and returns it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited in vain for {what}")


def healthy():
    try:
        health = call("GET", "/health")
    except (AssertionError, OSError):
        return None
    return health if health["status"] == "healthy" else None


def start(flags):
    command = ["crucible", "--host", "127.0.0.1", "--port", "8000", "--no-provision", *flags]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def doctor(state, flags):
    """What the self-test says of each wall, without a service."""
    command = ["crucible", "doctor", "--json", *flags]
    ran = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(ran.stdout)
    weaker = dict.fromkeys(CGROUP_WALLS, state)
    # Who is not root has one uid for everything.
    weaker["own_uid"] = "enforced" if os.geteuid() == 0 else "missing"
    for wall in found["walls"]:
        assert wall["state"] == weaker.pop(wall["name"], "enforced"), wall
    assert not weaker, f"not examined: {weaker}"
    full = all(wall["state"] == "enforced" for wall in found["walls"])
    assert found["level"] == ("full" if full else "degraded"), found["level"]
    languages = [language["name"] for language in found["languages"] if language["found"]]
    print(f"  {found['level']}, {len(found['walls'])} walls, {languages}")


def wait_for_announcement(launcher):
    ready = any("is ready on" in line for line in launcher.stdout)
    assert ready, "the launcher ended before it was ready"


def cgroups():
    # Unlike rglob, it does not mind that one goes away meanwhile.
    return sorted(directory for directory, _, _ in os.walk(CGROUPS))


def processes():
    """Of user space, without this one: a kernel thread has no command line."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(process.name) != os.getpid() and (line := (process / "cmdline").read_bytes()):
                found[process.name] = line.replace(b"\0", b" ").decode()
    return found


def parent(process):
    # The name of the program, in parentheses, may have blanks in it.
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def worker_of(launcher):
    """The launcher's child that has children itself, or None."""
    parents = {}
    for process in processes():
        with contextlib.suppress(OSError):
            parents[int(process)] = parent(process)
    children = (process for process, above in parents.items() if above == launcher.pid)
    return next((child for child in children if child in parents.values()), None)


def own_cgroup():
    """Where we are, and which controllers its children have: the launcher may change it for a while."""
    path = pathlib.Path("/proc/self/cgroup").read_text().strip()
    return path, (CGROUPS / path.split("::/")[1] / "cgroup.subtree_control").read_text()


def everything():
    return cgroups(), processes(), own_cgroup()


def end(launcher, how, before):
    with check(f"nothing is left after {how.name}"):
        launcher.send_signal(how)
        launcher.wait(PATIENCE_S)
        with contextlib.suppress(AssertionError):
            until(lambda: everything() == before, "the end")
        now = everything()
        assert now == before, f"\n  before {before}\n  now {now}"


def run(token, code, language="python", **more):
    body = {"code": code, "language": language, "timeout": 60, **more}
    return call("POST", "/v1/code_interpreter/run", body, token)


def answers(token):
    """Whether a run succeeds; while there is no worker it is refused."""
    try:
        return run(token, "true", "bash")["status"] == "succeeded"
    except (AssertionError, OSError):
        return False


def runs(token, by_cgroup):
    with check("hello from Python"):
        answer = run(token, "print('hello')\n6 * 7")
        assert answer["status"] == "succeeded" and answer["stdout"] == "hello\n", answer
        assert answer["results"][0]["mime"]["text/plain"] == "42", answer
        if by_cgroup:
            assert answer["usage"]["peak_memory_bytes"] > MIB, answer["usage"]
            assert answer["usage"]["processes"] >= 1, answer["usage"]
            assert answer["usage"]["cpu_ms"] >= 1, answer["usage"]
    with check("hello from Bash"):
        answer = run(token, "echo hello; id -u", "bash")
        assert answer["status"] == "succeeded" and answer["stdout"] == "hello\n1000\n", answer
    with check("no cgroup shows inside"):
        answer = run(token, "cat /proc/self/cgroup; ls -A /sys/fs/cgroup", "bash")
        assert answer["stdout"] == "0::/\n", answer
    with check("a memory bomb is out_of_memory"):
        answer = run(token, MEMORY_BOMB, limits={"memory_bytes": 96 * MIB})
        assert answer["status"] == "out_of_memory", answer
        assert answer["stdout"] == "before\n", answer
    with check("a fork bomb is bounded"):
        answer = run(token, FORK_BOMB, limits={"processes": PROCESSES})
        words = answer["stdout"].split()
        assert words[:2] == ["refused", "after"], answer
        assert 1 <= int(words[2]) < PROCESSES, answer
    with check("a busy loop is timed_out"):
        answer = run(token, BUSY_LOOP, timeout=3)
        assert answer["status"] == "timed_out" and answer["stdout"] == "before\n", answer
        assert answer["usage"]["cpu_ms"] > 500, answer["usage"]
    with check("a full disk is disk_limit_exceeded"):
        answer = run(token, "open('f', 'wb').write(b'x' * (8 << 20))", limits={"disk_bytes": 4 * MIB})
        assert answer["status"] == "disk_limit_exceeded", answer
    with check("a session keeps its state"):
        session = call("POST", "/v1/code_interpreter/sessions", {"language": "python"}, token)["session_id"]
        run(token, "x = 41", session_id=session)
        answer = run(token, "x + 1", session_id=session)
        assert answer["results"][0]["mime"]["text/plain"] == "42", answer
        call("DELETE", f"/v1/code_interpreter/sessions/{session}", token=token)


def main():
    state, flags = sys.argv[2], sys.argv[3:]
    before = everything()
    with check("the walls stand, says doctor"):
        doctor(state, flags)
        assert everything() == before, f"\n  before {before}\n  now {everything()}"
    launcher = start(flags)
    with check("serves"):
        wait_for_announcement(launcher)
        health = until(healthy, "a healthy service")
        walls = {wall["name"]: wall for wall in health["isolation"]["walls"]}
        for name in CGROUP_WALLS:
            assert walls[name]["state"] == state, walls[name]
            print(f"  {name}: {walls[name]['state']}")
        token = call("POST", "/v1/auth/token", ADMIN)["access_token"]
        runs(token, state == "enforced")
    end(launcher, signal.SIGTERM, before)

    launcher = start(flags)
    with check("starts again"):
        wait_for_announcement(launcher)
    if SCENARIO == "container":
        # Where nobody may write to the mounted cgroups, what a killed worker had made of them stays
        # until the container ends: see the README.
        end(launcher, signal.SIGKILL, before)
        return
    with check("a worker that was killed is replaced"):
        killed = worker_of(launcher)
        os.kill(killed, signal.SIGKILL)
        until(lambda: worker_of(launcher) not in (None, killed), "another worker")
        # What /health says may be from before.
        until(lambda: answers(token), "an answer from it")
    end(launcher, signal.SIGKILL, before)


SCENARIO = sys.argv[1]
main()
