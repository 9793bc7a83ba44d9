# How runs end. In a session an `exit` (or `set -e`, `${x:?}`, an interrupt) cannot be unwound by bash:
# the EXIT trap saves the state and replaces this process by a fresh kernel that reads it again.

# Each run is a script: options as a script finds them. Variables, functions, aliases, `shopt`,
# traps, the working directory and the umask live on.
__crucible_reset() {
  builtin set +a +e +f +u +v +x +C +E +T +k +o pipefail +o posix
  builtin unset __crucible_user_exit
}

# An EXIT trap of the user's must not replace ours, and runs at the end of its own run.
trap() {
  if ((BASH_SUBSHELL > 0)); then
    builtin trap "$@"
    return
  fi
  builtin local "action=${1-}"
  if [[ $action == -- ]]; then
    builtin shift
    action=${1-}
  elif [[ $action == -?* ]]; then
    builtin trap "$@"
    return
  fi
  if (($# == 0)); then
    builtin trap
    return
  elif (($# == 1)); then
    action=-
  else
    builtin shift
  fi
  builtin local signal
  for signal; do
    case ${signal^^} in
      EXIT | 0 | SIGEXIT)
        if [[ $action == - ]]; then
          builtin unset __crucible_user_exit
        else
          __crucible_user_exit=$action
        fi
        ;;
      *) builtin trap -- "$action" "$signal" || return ;;
    esac
  done
}

# The first thing of a run in a session: nothing of an earlier run's ending is left.
__crucible_begin() {
  __crucible_interrupted=false
  builtin trap "$__crucible_handler_prologue"__crucible_interrupt INT
  builtin trap "$__crucible_handler_prologue"'__crucible_exited $__crucible_status' EXIT
  __crucible_record_failures
}

# The code ran to its end with status $1: this very shell goes on.
__crucible_finish() {
  builtin trap : INT
  if [[ -n ${__crucible_user_exit-} ]]; then
    builtin eval "$__crucible_user_exit"
  fi
  __crucible_describe "$1" false
  __crucible_send "$__crucible_done" || __crucible_terminate "$1"
}

# The shell is about to end with status $1.
__crucible_exited() {
  builtin local -i "status=$1"
  builtin trap : INT
  builtin trap - EXIT
  if [[ -n ${__crucible_user_exit-} ]]; then
    builtin eval "$__crucible_user_exit"
  fi
  __crucible_describe "$status" "$__crucible_interrupted"
  builtin local "state=$__crucible_request/state"
  # Where the state cannot be saved (it is too large), the process ends: the worker then says that it is lost.
  if { __crucible_save >|"$state"; } 2>/dev/null; then
    exec "$BASH" --noprofile --norc "$__crucible_kernel" "$__crucible_in" "$__crucible_out" "$__crucible_request" "$state"
  fi
  exit "$status"
}

# A SIGINT of the worker's. Only an exit ends what the code is doing, however deep.
__crucible_interrupt() {
  __crucible_interrupted=true
  exit 130
}
