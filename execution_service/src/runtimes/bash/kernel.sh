# The bash kernel; the contract is in ../README.md.
#   bash --noprofile --norc kernel.sh IN OUT REQ [STATE]
# No fork and no external command as long as the user's code ends well. STATE is a file that an
# earlier image of this same process wrote (state.sh): `exit` in a session replaces the shell by a
# fresh one that takes the state over.

# readonly: the user's code shares this shell, and must not lose the worker by a slip.
readonly __crucible_kernel=${BASH_SOURCE[0]} __crucible_in=$1 __crucible_out=$2 __crucible_request=$3
readonly __crucible_folder=${__crucible_kernel%/*} __crucible_code=$3/main.sh
builtin source "$__crucible_folder/json.sh"
builtin source "$__crucible_folder/diagnostic.sh"
builtin source "$__crucible_folder/once.sh"
builtin source "$__crucible_folder/state.sh"
builtin source "$__crucible_folder/session.sh"

# Fails when OUT is no longer what the worker has made: the user's code may have removed it.
__crucible_send() {
  [[ -p $__crucible_out ]] && { builtin printf '%s\n' "$1" >"$__crucible_out"; } 2>/dev/null
}

# Nobody can be served any more. Not through the EXIT trap, which would start the kernel anew.
__crucible_terminate() {
  builtin trap - EXIT
  exit "$1"
}

# Status of the run, interrupted (true or false). Sets __crucible_done to the line that reports it.
__crucible_describe() {
  __crucible_diagnose "$1" "$2"
  __crucible_done="{\"event\":\"done\",\"id\":${__crucible_id:-null},\"exit_code\":$1,\"diagnostic\":$__crucible_diagnostic,\"interrupted\":$2}"
}

# The first step after the user's code: nothing of ours may be traced, stopped by an option of theirs,
# or seen by their DEBUG trap. Not in a function, which would give that trap back when it returns.
readonly __crucible_disable_hooks='builtin trap - DEBUG RETURN ERR; builtin set +x +e +u +f +n +v'
readonly __crucible_handler_prologue='{ __crucible_status=$?; builtin eval "$__crucible_disable_hooks"; } >/dev/null 2>&1; '

# Remembers where a command failed; nothing reads it unless the run fails with that very status.
__crucible_record_failures() {
  __crucible_failed_status=0
  builtin trap '{ __crucible_failed $? "$LINENO" "$BASH_COMMAND"; } 2>/dev/null' ERR
}

__crucible_failed() {
  [[ $3 == *'$__crucible_code'* ]] && return # the source command itself, one level further out
  __crucible_failed_status=$1 __crucible_failed_line=$2 __crucible_failed_command=$3
}

# When memory runs out, the user's programs go first, and not the init of the sandbox.
{ builtin echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null

# $0 and ${BASH_SOURCE[0]} are equal in the user's code, as in a script started by its name.
BASH_ARGV0=$__crucible_code

# One compound command: it is parsed before the user's aliases can change how. Not a function: a
# `declare` of the user's would be local in it.
{
  if [[ -n ${4-} ]]; then
    exec </dev/null
    builtin source "$4"
    : >|"$4" # `rm` would need a process, and there may be none left
    __crucible_send "$__crucible_done" || __crucible_terminate 1
    builtin set --
  else
    builtin set --
    __crucible_warm_up
    __crucible_send '{"event":"ready"}' || __crucible_terminate 1
  fi

  while :; do
    # A handler that does nothing, not '': what is ignored stays so in children and across exec.
    builtin trap : INT
    if ! { IFS=' ' builtin read -r __crucible_mode __crucible_id <"$__crucible_in"; } 2>/dev/null; then
      [[ -p $__crucible_in && -r $__crucible_in ]] || __crucible_terminate 1
      continue
    fi
    [[ $__crucible_id == *[!0-9]* ]] && __crucible_terminate 64
    case $__crucible_mode in
      once)
        builtin source "$__crucible_request/prologue.sh"
        # Descriptor 0 is that from the start.
        [[ $__crucible_stdin == /dev/null ]] || exec <"$__crucible_stdin" || exit 1
        builtin unset __crucible_stdin __crucible_mode
        builtin unset -f trap
        builtin trap - INT
        builtin trap "$__crucible_at_exit" EXIT
        __crucible_record_failures
        builtin source "$__crucible_code"
        { __crucible_status=$?; builtin eval "$__crucible_disable_hooks"; __crucible_report_once $__crucible_status; } >/dev/null 2>&1
        exit $__crucible_status
        ;;
      session)
        __crucible_reset
        builtin source "$__crucible_request/prologue.sh"
        __crucible_begin
        builtin source "$__crucible_code" <"$__crucible_stdin"
        { __crucible_status=$?; builtin eval "$__crucible_disable_hooks"; } >/dev/null 2>&1
        __crucible_finish $__crucible_status
        ;;
      *)
        __crucible_terminate 64 # not the protocol: nothing good can follow
        ;;
    esac
  done
}
