# How a stateless run ends: as bash ends, with one line to the worker on the way.

# The EXIT trap of a run, and the step after its last line. A trap that the user's code sets takes the
# place of ours; the worker then learns the status from wait() alone.
__crucible_exit_once() {
  if [[ -z ${__crucible_reported-} ]]; then
    __crucible_reported=1
    __crucible_describe "$1" false
    __crucible_send "$__crucible_done"
  fi
  exit "$1"
}
