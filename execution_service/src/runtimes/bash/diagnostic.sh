# What went wrong, from the status, the failed command and the parser; never from the user's output.

__crucible_kept_characters=4096

# Status, interrupted. Sets __crucible_diagnostic to a JSON object, or null for status 0.
__crucible_diagnose() {
  builtin local -i "status=$1"
  __crucible_diagnostic=null
  if [[ $2 == true ]]; then
    __crucible_object exception Interrupted 'the run was interrupted' '' ''
    return
  fi
  ((status == 0)) && return
  builtin local hint=
  __crucible_look_at_the_text
  if ((status <= 2)) && __crucible_syntax_error; then
    return
  fi
  builtin local line= command= name=ExitStatus "message=exit status $status"
  if ((${__crucible_failed_status-0} == status)); then
    line=$__crucible_failed_line command=${__crucible_failed_command:0:__crucible_kept_characters}
    message+=": $command"
  fi
  builtin local "word=${command%%[[:space:]]*}"
  if ((status == 127)) && [[ $word =~ ^[A-Za-z0-9_./+-]+$ ]] && ! builtin type -t -- "$word" >/dev/null; then
    name=CommandNotFound message="$word: command not found" hint=${hint:-"$word is not installed here."}
  elif ((status > 128 && status <= 192)); then
    builtin local signal
    # Forks, which a failed run can afford.
    if signal=$(builtin kill -l $((status - 128)) 2>/dev/null); then
      name=SIG$signal message="ended by signal SIG$signal${command:+: $command}"
    fi
  fi
  __crucible_object exit "$name" "$message" "$line" "$hint"
}

# Sets `hint` where the text of the script is not what its author sees.
__crucible_look_at_the_text() {
  builtin local lines
  builtin mapfile -n 100 lines <"$__crucible_code" 2>/dev/null || return
  if [[ ${lines[*]} == *$'\r\n'* ]]; then
    hint='The script has Windows line ends (CR LF): to bash the CR is a part of each line.'
  elif [[ ${lines[0]-} == '```'* ]]; then
    hint='The script has Markdown fences (```): send only what is between them.'
  fi
}

# The parser is asked again, without running anything: a status of 1 or 2 alone proves nothing.
__crucible_syntax_error() {
  builtin local said
  said=$("$BASH" --noprofile --norc -n "$__crucible_code" 2>&1) && return 1
  [[ $said =~ :\ line\ ([0-9]+):\ ([^$'\n']*) ]] || return 1
  __crucible_object syntax SyntaxError "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}" "$hint"
}

# Kind, name, message, line or nothing, hint or nothing.
__crucible_object() {
  builtin local __crucible_json name message hint=null file=null
  __crucible_to_json "$2"
  name=$__crucible_json
  __crucible_to_json "$3"
  message=$__crucible_json
  if [[ -n $4 ]]; then
    file='"main.sh"'
  fi
  if [[ -n $5 ]]; then
    __crucible_to_json "$5"
    hint=$__crucible_json
  fi
  __crucible_diagnostic="{\"kind\":\"$1\",\"name\":$name,\"message\":$message,\"file\":$file,\"line\":${4:-null},"
  __crucible_diagnostic+="\"column\":null,\"traceback\":null,\"missing_module\":null,\"retryable\":false,\"hint\":$hint,\"errno\":null}"
}
