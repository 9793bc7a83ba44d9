# The state of a session as a script that makes it again in a fresh shell.

# What bash sets itself, and what belongs to the kernel.
__crucible_own='^(__crucible_.*|_|BASH.*|COMP_.*|DIRSTACK|EPOCH.*|EUID|FUNCNAME|GROUPS|HISTCMD|LINENO|PIPESTATUS|PPID|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID)$'

# Writes that script to stdout; fails when not all of it could be written. The working directory, the
# umask and background jobs belong to the process and need no saving. When a function called `exit`,
# its local variables come back as global ones: bash shows them the same way.
__crucible_save() {
  # Lists by way of a file: a process substitution needs a process, and there may be none left.
  builtin local __crucible_name __crucible_line "__crucible_names=$__crucible_request/names"
  builtin compgen -v >|"$__crucible_names" || return
  while IFS= builtin read -r __crucible_name; do
    [[ $__crucible_name =~ $__crucible_own ]] && continue
    builtin declare -p "$__crucible_name" 2>/dev/null
  done <"$__crucible_names"
  builtin declare -p __crucible_done || return
  builtin declare -F >|"$__crucible_names" || return
  while IFS= builtin read -r __crucible_line; do
    __crucible_name=${__crucible_line##* }
    [[ $__crucible_name == __crucible_* || $__crucible_name == trap ]] && continue
    builtin declare -f "$__crucible_name"
    if [[ $__crucible_line == 'declare -fx '* ]]; then
      builtin printf 'builtin export -f %s\n' "$__crucible_name"
    fi
  done <"$__crucible_names"
  builtin trap -p
  # Last: aliases would change how the lines above are read.
  builtin alias -p
  builtin shopt -p || :
  builtin printf 'builtin true # complete\n' || return
}
