"""A plot that lands as a PNG: run code, have its files collected, fetch them.

    CRUCIBLE_TOKEN=… python3 examples/plot.py [http://127.0.0.1:8000]

Needs nothing but the standard library here, and nothing but Python in the sandbox: with matplotlib there,
the program would be `plt.plot(…); plt.savefig("plot.png")`.
"""

import json
import os
import sys
import urllib.request

PROGRAM = """
import math, struct, zlib

WIDTH, HEIGHT = 320, 200
pixels = [[255] * WIDTH for _ in range(HEIGHT)]
for x in range(WIDTH):
    y = HEIGHT / 2 - math.sin(x / 25) * HEIGHT * 0.4
    pixels[int(y)][x] = 0

def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

rows = b"".join(b"\\0" + bytes(row) for row in pixels)
with open("plot.png", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n")
    file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(rows)))
    file.write(chunk(b"IEND", b""))
print("plotted", WIDTH, "points")
"""


def call(base, token, path, body=None):
    """The body of the answer to a GET, or to a POST of `body`."""
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def main():
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    token = os.environ.get("CRUCIBLE_TOKEN") or sys.exit("CRUCIBLE_TOKEN is not set")
    wish = {"language": "python", "code": PROGRAM, "collect": ["*.png"], "for_model": 2000}
    answer = json.loads(call(base, token, "/v1/code_interpreter/run", wish))
    print(answer["text"])
    for artifact in answer["artifacts"]:
        name = os.path.basename(artifact["path"])
        with open(name, "wb") as file:
            file.write(call(base, token, artifact["url"]))
        print(f"{name}: {artifact['size']} bytes, until {artifact['until']}")


if __name__ == "__main__":
    main()
