"""A plot that lands as a PNG: run code, have its files collected, fetch them.

    CRUCIBLE_TOKEN=… python3 examples/plot.py

The token is that of the line which Crucible prints at its start, or an API key. Here Python's standard library is
enough; Crucible's Python must have matplotlib, which it installs for itself at its first start unless it is told not to.
"""

import json
import os
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ["CRUCIBLE_TOKEN"]

PROGRAM = """
import math
import matplotlib.pyplot as plt

x = [step / 25 for step in range(320)]
plt.plot(x, [math.sin(at) for at in x])
plt.title("sine")
plt.savefig("plot.png")
print("plotted", len(x), "points")
"""


def call(path, body=None):
    """The body of the answer to a GET, or to a POST of `body`."""
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {TOKEN}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def main():
    wish = {"language": "python", "code": PROGRAM, "collect": ["*.png"], "for_model": 2000}
    answer = json.loads(call("/v1/code_interpreter/run", wish))
    print(answer["text"])
    for artifact in answer["artifacts"]:
        name = os.path.basename(artifact["path"])
        with open(name, "wb") as file:
            file.write(call(artifact["url"]))
        print(f"{name}: {artifact['size']} bytes, until {artifact['until']}")


if __name__ == "__main__":
    main()
