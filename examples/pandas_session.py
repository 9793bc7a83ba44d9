"""An analysis in steps, as a model does it: each step finds what the ones before it have defined.

    CRUCIBLE_TOKEN=… python3 examples/pandas_session.py

The token is that of the line which Crucible prints at its start, or an API key. Here Python's standard library is
enough; Crucible's Python must have pandas, which it installs for itself at its first start unless it is told not to.
"""

import json
import os
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000") + "/v1/code_interpreter/"

SALES = "\n".join(["month,city,sold"] + [f"{month},{city},{(month * 7 + len(city) * 13) % 40}"
                                           for month in range(1, 13) for city in ("Riga", "Oslo", "Vienna")])

STEPS = [
    "import pandas as pd\nsales = pd.read_csv('sales.csv')\nsales.shape",
    "by_city = sales.groupby('city')['sold'].sum().sort_values(ascending=False)\nby_city",
    "best = by_city.index[0]\nprint('best:', best)",
    # A mistake: the answer says what and where, and nothing that was defined is lost.
    "sales['profit'].sum()",
    "sales['profit'] = sales['sold'] * 2\nprint('profit:', int(sales['profit'].sum()))",
]


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["CRUCIBLE_TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


session = call("POST", "sessions", {"language": "python", "files": {"sales.csv": SALES}})["session_id"]
try:
    for code in STEPS:
        answer = call("POST", "run", {"session_id": session, "language": "python", "code": code})
        print(">>>", code.replace("\n", "\n... "))
        print(answer["stdout"], end="")
        for result in answer["results"]:
            print(result["mime"]["text/plain"])
        if answer["diagnostic"]:
            print(f"{answer['diagnostic']['name']}: {answer['diagnostic']['message']} (line {answer['diagnostic']['line']})")
        assert not answer["state_lost"]
    usage = call("GET", f"sessions/{session}")["usage"]
    print(f"in all {usage['cpu_ms']} ms of processor time")
finally:
    call("DELETE", f"sessions/{session}")
