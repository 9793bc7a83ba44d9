# `trap` in a session: an EXIT trap of the user's must not replace ours, and runs at the end of its own run.

declare -gA __crucible_traps=()
__crucible_of_traps=(__crucible_set_hook __crucible_list_traps __crucible_print_trap __crucible_status_is)

trap() {
  if ((BASH_SUBSHELL > 0)); then
    builtin trap "$@"
    return
  fi
  builtin local "action=${1-}"
  if [[ $action == -- ]]; then
    builtin shift
    action=${1-}
  elif [[ $action == -p ]]; then
    builtin shift
    __crucible_list_traps "$@"
    return
  elif [[ $action == -?* ]]; then
    builtin trap "$@"
    return
  fi
  if (($# == 0)); then
    __crucible_list_traps
    return
  elif (($# == 1)); then
    action=-
  else
    builtin shift
  fi
  builtin local signal name
  for signal; do
    name=${signal^^}
    name=${name#SIG}
    case $name in
      EXIT | 0)
        if [[ $action == - ]]; then
          builtin unset __crucible_user_exit
        else
          __crucible_user_exit=$action
        fi
        ;;
      ERR | DEBUG | RETURN)
        __crucible_set_hook "$name" "$action"
        ;;
      *)
        # Nothing behind it: a DEBUG trap would see that.
        __crucible_traps[$name]=1
        builtin trap -- "$action" "$signal" 2>/dev/null || {
          builtin unset "__crucible_traps[$name]"
          builtin printf '%s: line %d: trap: %s: invalid signal specification\n' "$0" "${BASH_LINENO[0]}" "$signal" >&2
          return 1
        }
        ;;
    esac
  done
}

# ERR, DEBUG or RETURN, and the action. What a function takes away of these is given back when it returns: hence the
# colon. An error is told of where it happens, and not once more by the command that evaluates the run. The action
# finds the status of what has failed, and `set -e` does not end the shell before it begins.
__crucible_set_hook() {
  if [[ $2 == - ]]; then
    builtin unset "__crucible_traps[$1]"
    builtin trap : "$1"
    return
  fi
  __crucible_traps[$1]=$2
  if [[ $1 == ERR ]]; then
    builtin trap -- '__crucible_status=$?; [[ $BASH_COMMAND == *'\''$__crucible_text'\''* ]] || if __crucible_status_is $__crucible_status; then :; else '"$2"$'\nfi' ERR
  else
    builtin trap -- "$2" "$1"
  fi
}

# What is the user's of `builtin trap -p`: of these signals there may be traps of ours.
__crucible_list_traps() {
  builtin local signal
  if (($# == 0)); then
    builtin set -- EXIT {1..64} DEBUG ERR RETURN
  fi
  for signal; do
    case ${signal#SIG} in
      EXIT | 0) [[ -v __crucible_user_exit ]] && __crucible_print_trap "$__crucible_user_exit" EXIT ;;
      INT | 2) [[ -n ${__crucible_traps[INT]-}${__crucible_traps[2]-} ]] && builtin trap -p INT ;;
      TERM | 15) [[ -n ${__crucible_traps[TERM]-}${__crucible_traps[15]-} ]] && builtin trap -p TERM ;;
      ERR | DEBUG | RETURN)
        [[ -v __crucible_traps[${signal#SIG}] ]] && __crucible_print_trap "${__crucible_traps[${signal#SIG}]}" "${signal#SIG}"
        ;;
      *) builtin trap -p "$signal" 2>/dev/null ;;
    esac
  done
  return 0
}

# As `trap -p` does.
__crucible_print_trap() {
  builtin printf "trap -- '%s' %s\n" "${1//\'/\'\\\'\'}" "$2"
}
