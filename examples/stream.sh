#!/bin/sh
# Counts to ten, and shows each number when it is printed, not at the end. Needs curl.
#
#   CRUCIBLE_TOKEN=… sh examples/stream.sh
#
# The token is that of the line which Crucible prints at its start, or an API key.
set -eu
URL=${CRUCIBLE_URL:-http://127.0.0.1:8000}
: "${CRUCIBLE_TOKEN:?the token of the line that Crucible prints at its start}"

# -N: curl shows what comes when it comes.
curl -sS -N --fail "$URL/v1/code_interpreter/run" \
    -H "Authorization: Bearer $CRUCIBLE_TOKEN" \
    -H 'Content-Type: application/json' \
    -H 'Accept: text/event-stream' \
    -d '{"language": "python",
         "code": "import time\nfor n in range(1, 11):\n    print(n)\n    time.sleep(0.3)"}'
