# How a stateless run ends: as bash ends, with one line to the worker on the way.

# The EXIT trap of a run. A trap that the user's code sets takes its place; the worker then learns the
# status from wait() alone. After the last line all is said already, and it has nothing to hide.
readonly __crucible_at_exit='{ __crucible_status=$?; [[ -v __crucible_reported ]] || builtin eval "$__crucible_disable_hooks; __crucible_report_once $__crucible_status"; } >/dev/null 2>&1; exit $__crucible_status'

# Tells the worker how the program ended, once; its own output is not ours.
__crucible_report_once() {
  if [[ -z ${__crucible_reported-} ]]; then
    __crucible_reported=1
    __crucible_describe "$1" false
    [[ -p $__crucible_out ]] && builtin printf '%s\n' "$__crucible_done" >"$__crucible_out"
  fi
}

# Once what a run needs around it, before there is one: the shell's own set-up of signals, and its pages
# of code, which are not yet in memory.
__crucible_warm_up() {
  builtin trap : EXIT
  builtin trap - EXIT
  builtin source /dev/null </dev/null
  __crucible_describe 0 false
  builtin eval "$__crucible_disable_hooks"
  builtin unset __crucible_done __crucible_diagnostic
}
