# Whether the system refused this shell a process. Its status alone proves nothing: `exit 254` gives the same.

# Bash gives up with this status, and without an ERR trap, when fork() has failed with EAGAIN.
readonly __crucible_fork_failed=254
readonly __crucible_eagain=11

# Whether the limit of processes is reached at this moment. No fork: that would wait for 15 s.
__crucible_processes_used_up() {
  builtin local limit= line task
  builtin local -i count=0
  while IFS= builtin read -r line; do
    if [[ $line =~ ^Max\ processes\ +([0-9]+) ]]; then
      limit=${BASH_REMATCH[1]}
    fi
  done </proc/self/limits
  [[ -n $limit ]] || return 1
  for task in /proc/[0-9]*/task/[0-9]*; do
    if [[ -O $task ]]; then
      count+=1
    fi
  done
  # The sandbox's init counts as well and cannot be seen to be ours.
  ((count >= limit - 1))
}
