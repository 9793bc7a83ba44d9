# How a stateless run ends: as bash ends, with one line to the worker on the way.

# The EXIT trap of a run. One that the user's code sets takes its place; the worker then learns the status from
# wait() alone.
# A child that is killed before it is itself runs it as well: hence the comparison.
builtin printf -v __crucible_at_exit '{ __crucible_status=$?; if [[ ${BASHPID-$$} == $$ ]]; then %s; if ((__crucible_status)); then \\builtin source %q %q RUN_ID; elif [[ -p %q ]]; then \\builtin printf "%%s\n" %q >%q; fi; exit $__crucible_status; fi; } >/dev/null 2>&1' \
  "$__crucible_disable_hooks" "$__crucible_folder/report.sh" "$__crucible_out" "$__crucible_out" \
  '{"event":"done","id":RUN_ID,"exit_code":0,"diagnostic":null,"interrupted":false}' "$__crucible_out"

# Once what a run needs around it, before there is one: the shell's own set-up of signals, and its pages
# of code, which are not yet in memory.
builtin trap : EXIT
builtin trap - EXIT
builtin source /dev/null </dev/null
builtin eval "$__crucible_disable_hooks"
