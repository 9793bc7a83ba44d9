#!/bin/sh
# Counts to ten, and shows each number when it is printed, not at the end. Needs curl.
#
#   cargo run -- --data-dir ./data           (prints the administrator's password at its first start)
#   PASSWORD=… sh examples/stream.sh         (URL and USER_NAME may be set as well)
set -eu
URL=${URL:-http://127.0.0.1:8000}
: "${PASSWORD:?the password of ${USER_NAME:-admin}, as the first start has printed it}"

token=$(curl -sS --fail "$URL/v1/auth/token" -d username="${USER_NAME:-admin}" \
    --data-urlencode password="$PASSWORD" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

# -N: curl shows what comes when it comes.
curl -sS -N --fail "$URL/v1/code_interpreter/run" \
    -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' \
    -H 'Accept: text/event-stream' \
    -d '{"language": "python",
         "code": "import time\nfor n in range(1, 11):\n    print(n)\n    time.sleep(0.3)"}'
