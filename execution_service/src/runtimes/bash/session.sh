# How runs begin and end in a session. An `exit` (or `set -e`, `${x:?}`, an interrupt) cannot be unwound by
# bash: the EXIT trap saves the state and replaces this process by a fresh kernel that reads it again.

builtin source "$__crucible_folder/json.sh"
builtin source "$__crucible_folder/diagnostic.sh"
builtin source "$__crucible_folder/state.sh"
builtin source "$__crucible_folder/traps.sh"

# After so many runs the same is done, because each is one level of `eval` deeper than the last: a loop
# around them would be one that the user's `break` ends.
__crucible_most_runs=1000

# What follows the user's code, with its status: nothing of theirs strikes what we do, and our functions are back.
__crucible_after_code='{ __crucible_status=$?; \builtin eval "$__crucible_disable_hooks"; if [[ -n ${__crucible_hidden-} ]]; then \builtin source "$__crucible_request/functions"; \builtin unset __crucible_hidden; fi; } >/dev/null 2>&1; '

# A child that is killed before it is itself runs it as well: hence the comparison. The user's EXIT trap is evaluated
# here and not in a function, so that messages name the user's file.
__crucible_on_exit=$__crucible_after_code'if [[ ${BASHPID-$$} == $$ ]]; then __crucible_exiting $__crucible_status; \builtin eval "$__crucible_action"; \builtin eval "$__crucible_disable_hooks"; __crucible_leave $__crucible_leaving; fi'

# One run, and then the next. One line: a program's lines count from the one that evaluates it. Not a function,
# in which `declare` would be local, and `return` and `set --` the function's own. The backslashes: an alias of the
# user's must not take the place of a command.
__crucible_step='__crucible_reset; \builtin source "$__crucible_request/prologue.sh"; __crucible_begin; \builtin eval "$__crucible_text" <"$__crucible_stdin"; '"$__crucible_after_code"'if [[ -n ${__crucible_user_exit-} ]]; then __crucible_ended $__crucible_status; \builtin eval "$__crucible_action"; \builtin eval "$__crucible_disable_hooks"; fi; __crucible_finish $__crucible_status; __crucible_receive; __crucible_load; \builtin eval "$__crucible_step"'

# The script that bash opens next begins with the user's first run, and every run is a part of it.
__crucible_prepare_session() {
  # The user's code shares this shell, and must not lose the worker by a slip.
  builtin readonly __crucible_kernel __crucible_in __crucible_out __crucible_request __crucible_folder \
    __crucible_code __crucible_disable_hooks __crucible_after_code __crucible_on_exit __crucible_step __crucible_most_runs \
    __crucible_own __crucible_kept_characters
  # To the EXIT trap alone it would be an end like any other.
  builtin trap "$__crucible_after_code"'exit 143' TERM
  __crucible_runs=0
  __crucible_load
  builtin printf '%s\n' 'builtin eval "$__crucible_step"' >|"$__crucible_code"
  __crucible_first=1
}

__crucible_load() {
  builtin local lines
  builtin mapfile -d '' -n 1 lines <"$__crucible_code"
  __crucible_text=${lines[0]-}
}

# Each run is a script: options and the state of getopts as a script finds them. Variables, functions,
# aliases, `shopt`, traps, the working directory and the umask live on.
__crucible_reset() {
  builtin set +a +e +f +u +v +x +C +E +T +k +o pipefail +o posix
  builtin unset __crucible_user_exit
  OPTIND=1 SECONDS=0
  if [[ -n ${__crucible_first-} ]]; then
    builtin unset __crucible_first
    builtin printf '%s' "$__crucible_text" >|"$__crucible_code"
  fi
}

# The first thing of a run in a session: nothing of an earlier run's ending is left.
__crucible_begin() {
  __crucible_interrupted=false
  __crucible_traps=()
  builtin trap "$__crucible_after_code"__crucible_interrupt INT
  builtin trap "$__crucible_on_exit" EXIT
  __crucible_failed_status=0
  if [[ $__crucible_text == *'declare -'[fF]* || $__crucible_text == *typeset* || $__crucible_text == *compgen* ||
    $__crucible_text == *set* && $__crucible_text =~ $__crucible_lists_all ]]; then
    __crucible_hide
  else
    builtin trap '{ __crucible_failed $? "$LINENO" "$BASH_COMMAND"; } 2>/dev/null' ERR
  fi
}

# `set` by itself.
__crucible_lists_all=$'(^|[\n;|&({])[ \t]*set[ \t]*($|[\n;|&)}>])'

# A run that looks at functions finds its own. Ours are read again behind it.
__crucible_hide() {
  builtin local "list=$__crucible_request/names" names
  builtin compgen -A function __crucible_ >|"$list"
  builtin mapfile -t names <"$list"
  if [[ $__crucible_text != *trap* ]]; then
    names+=(trap)
  else # by itself; what it calls stays as well
    builtin local kept=" ${__crucible_of_traps[*]} " name
    for name in "${!names[@]}"; do
      [[ $kept == *" ${names[name]} "* ]] && builtin unset "names[$name]"
    done
  fi
  builtin declare -f "${names[@]}" >|"$__crucible_request/functions" || return
  __crucible_hidden=1
  builtin unset -f "${names[@]}"
}

# Remembers where a command failed; nothing reads it unless the run fails with that very status.
__crucible_failed() {
  [[ $3 == *'$__crucible_text'* ]] && return # the command that evaluates it, one level further out
  __crucible_failed_status=$1 __crucible_failed_line=$2 __crucible_failed_command=$3
}

# Status of the run, interrupted (true or false). Sets __crucible_done to the line that reports it.
__crucible_describe() {
  __crucible_diagnose "$1" "$2"
  __crucible_done="{\"event\":\"done\",\"id\":${__crucible_id:-null},\"exit_code\":$1,\"diagnostic\":$__crucible_diagnostic,\"interrupted\":$2}"
}

# For the $? of what comes next.
__crucible_status_is() {
  return "$1"
}

# The code ran to its end with status $1. Sets __crucible_action to the user's EXIT trap, which comes next and finds
# that status; if it exits, it is not run once more.
__crucible_ended() {
  builtin trap : INT
  __crucible_action=$__crucible_user_exit
  builtin unset __crucible_user_exit
  return "$1"
}

# This very shell goes on.
__crucible_finish() {
  builtin trap : INT
  if ((++__crucible_runs >= __crucible_most_runs)); then
    __crucible_leave "$1"
  fi
  __crucible_describe "$1" false
  __crucible_send "$__crucible_done" || __crucible_terminate "$1"
}

# The same of a shell that is about to end.
__crucible_exiting() {
  builtin trap : INT
  builtin trap - EXIT
  __crucible_leaving=$1 __crucible_action=${__crucible_user_exit-}
  if [[ -n $__crucible_action ]]; then
    # Within a trap for EXIT, `exit` ends the process for good.
    exit() {
      __crucible_leave "${1-$__crucible_leaving}"
    }
  fi
  return "$1"
}

# Replaces the shell by a fresh one, which tells of the run that ended with status $1.
__crucible_leave() {
  builtin local -i "status=$1 & 255"
  [[ -z ${__crucible_action-} ]] || builtin unset -f exit
  builtin trap - EXIT
  __crucible_describe "$status" "$__crucible_interrupted"
  builtin local "state=$__crucible_request/state"
  # Where the state cannot be saved (it is too large), the process ends: the worker then says that it is lost.
  if { __crucible_save >|"$state"; } 2>/dev/null; then
    BASH_ENV=$__crucible_kernel exec "$BASH" --noprofile --norc "$__crucible_code" "$__crucible_in" \
      "$__crucible_out" "$__crucible_request" "$state"
  fi
  exit "$status"
}

# A SIGINT of the worker's. Only an exit ends what the code is doing, however deep.
__crucible_interrupt() {
  __crucible_interrupted=true
  exit 130
}
