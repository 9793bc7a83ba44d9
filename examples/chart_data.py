"""A chart and a table as data: what a figure shows and what a frame holds, without reading a picture.

    CRUCIBLE_TOKEN=… python3 examples/chart_data.py

The token is that of the line which Crucible prints at its start, or an API key. Here Python's standard library is
enough; Crucible's Python must have pandas and matplotlib, which it installs for itself at its first start unless it is
told not to.
"""

import json
import os
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ["CRUCIBLE_TOKEN"]
CHART = "application/vnd.crucible.chart+json"
TABLE = "application/vnd.crucible.table+json"

PROGRAM = """
import matplotlib.pyplot as plt
import pandas as pd

sales = pd.DataFrame({"region": ["north", "south", "west"], "revenue": [120.5, None, 99.0]})
plt.bar(sales.region, sales.revenue.fillna(0))
plt.ylabel("revenue (k€)")
plt.title("Sales")
plt.show()
sales
"""


def run(code):
    """The answer to a run of `code`."""
    body = json.dumps({"language": "python", "code": code, "for_model": 2000}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + "/v1/code_interpreter/run", body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main():
    answer = run(PROGRAM)
    for result in answer["results"]:
        mime = result["mime"]
        if CHART in mime:
            chart = json.loads(mime[CHART])
            print(f"{chart['type']} chart {chart['title']!r}, {chart['y_label']}, unit {chart['y_unit']}:")
            for bar in chart["elements"]:
                print(f"    {bar['label']}: {bar['value']}")
        if TABLE in mime:
            table = json.loads(mime[TABLE])
            print(f"table of {table['shape'][0]} rows:")
            for column in table["columns"]:
                print(f"    {column['name']} ({column['dtype']}): {column['values']}")
    print("what a model reads:")
    print(answer["text"])


if __name__ == "__main__":
    main()
