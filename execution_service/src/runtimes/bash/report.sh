# Sourced at the end of a stateless run that failed, with OUT and the run's number: tells the worker how. The
# status is in __crucible_status; where it came from, in what the ERR trap noted.

__crucible_code=$0
builtin source "${BASH_SOURCE[0]%/*}/json.sh"
builtin source "${BASH_SOURCE[0]%/*}/diagnostic.sh"
__crucible_diagnose "$__crucible_status" false
[[ -p $1 ]] && builtin printf '{"event":"done","id":%s,"exit_code":%s,"diagnostic":%s,"interrupted":false}\n' \
  "$2" "$__crucible_status" "$__crucible_diagnostic" >"$1"
