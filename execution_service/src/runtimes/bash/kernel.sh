# The bash kernel; the contract is in ../README.md.
#   BASH_ENV=kernel.sh bash --noprofile --norc REQ/main.sh IN OUT REQ [STATE]
# Bash reads this file before the script that it was started with, and only then opens that script: here it
# waits for a program, and returns when the program is in REQ/main.sh. So a program is the script of its shell,
# with everything that belongs to it ($0, BASH_SOURCE, return and break at the top level, line numbers).
# No fork and no external command as long as the user's code ends well. STATE is a file that an
# earlier image of this same process wrote (state.sh): `exit` in a session replaces the shell by a
# fresh one that takes the state over.

builtin unset BASH_ENV # what the program starts must not wait here as well
__crucible_kernel=${BASH_SOURCE[0]} __crucible_in=$1 __crucible_out=$2 __crucible_request=$3
__crucible_folder=${__crucible_kernel%/*} __crucible_code=$3/main.sh

# Fails when OUT is no longer what the worker has made: the user's code may have removed it.
__crucible_send() {
  [[ -p $__crucible_out ]] && { builtin printf '%s\n' "$1" >"$__crucible_out"; } 2>/dev/null
}

# Waits for a request. Sets __crucible_mode and __crucible_id.
__crucible_receive() {
  # A handler that does nothing, not '': what is ignored stays so in children and across exec.
  builtin trap : INT
  until { IFS=' ' builtin read -r __crucible_mode __crucible_id <"$__crucible_in"; } 2>/dev/null; do
    [[ -p $__crucible_in && -r $__crucible_in ]] || __crucible_terminate 1
  done
  # Not the protocol: nothing good can follow.
  [[ $__crucible_id == *[!0-9]* || $__crucible_mode != @(once|session) ]] && __crucible_terminate 64
}

# Nobody can be served any more. Not through the EXIT trap, which would start the kernel anew.
__crucible_terminate() {
  builtin trap - EXIT
  exit "$1"
}

# The first step after the user's code: nothing of ours may be traced, stopped by an option of theirs,
# or seen by their DEBUG trap. Not in a function, which would give that trap back when it returns.
__crucible_disable_hooks='\builtin trap - DEBUG RETURN ERR; \builtin set +x +e +u +f +n +v'

# When memory runs out, the user's programs go first, and not the init of the sandbox.
{ builtin echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null

# One compound command: it is parsed before the user's aliases can change how.
{
  if [[ -n ${4-} ]]; then
    exec </dev/null
    builtin source "$__crucible_folder/session.sh"
    builtin source "$4"
    : >|"$4" # `rm` would need a process, and there may be none left
    __crucible_send "$__crucible_done" || __crucible_terminate 1
    __crucible_receive
  else
    builtin source "$__crucible_folder/once.sh"
    __crucible_send '{"event":"ready"}' || __crucible_terminate 1
    __crucible_receive
    if [[ $__crucible_mode == session ]]; then
      builtin source "$__crucible_folder/session.sh"
    fi
  fi
  if [[ $__crucible_mode == session ]]; then
    __crucible_prepare_session
  else
    builtin source "$__crucible_request/prologue.sh"
    # Descriptor 0 is that from the start.
    [[ $__crucible_stdin == /dev/null ]] || exec <"$__crucible_stdin" || exit 1
    builtin trap - INT
    [[ -n ${__crucible_looks_at_traps-} ]] || {
      builtin trap "${__crucible_at_exit//RUN_ID/${__crucible_id:-null}}" EXIT
      # Remembers where a command failed; nothing reads it unless the run fails with that very status.
      builtin trap '{ __crucible_failed_status=$? __crucible_failed_line=$LINENO __crucible_failed_command=$BASH_COMMAND; } 2>/dev/null' ERR
    }
    # Nothing of ours is left for the program to find, but these two traps.
    builtin unset -f __crucible_send __crucible_receive __crucible_terminate
    builtin unset __crucible_kernel __crucible_in __crucible_out __crucible_request __crucible_folder \
      __crucible_code __crucible_disable_hooks __crucible_at_exit __crucible_mode __crucible_id __crucible_stdin \
      __crucible_looks_at_traps
  fi
}
