# `trap` in a session: an EXIT trap of the user's must not replace ours, and runs at the end of its own run.

declare -gA __crucible_traps=()

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
      *)
        __crucible_traps[$name]=1
        builtin trap -- "$action" "$signal" || return # nothing behind it: a DEBUG trap would see that
        ;;
    esac
  done
}

# What is the user's of `builtin trap -p`: of these signals there may be traps of ours.
__crucible_list_traps() {
  builtin local signal
  if (($# == 0)); then
    builtin set -- EXIT {1..64} DEBUG ERR RETURN
  fi
  for signal; do
    case ${signal#SIG} in
      EXIT | 0)
        if [[ -v __crucible_user_exit ]]; then
          builtin printf "trap -- '%s' EXIT\n" "${__crucible_user_exit//\'/\'\\\'\'}"
        fi
        ;;
      INT | 2) [[ -n ${__crucible_traps[INT]-}${__crucible_traps[2]-} ]] && builtin trap -p INT ;;
      ERR) [[ -n ${__crucible_traps[ERR]-} ]] && builtin trap -p ERR ;;
      *) builtin trap -p "$signal" 2>/dev/null ;;
    esac
  done
  return 0
}
