# JSON strings in bash alone: no fork, no external command.

# Sets __crucible_json to the text $1 as a JSON string. Bytes that are not UTF-8 become U+FFFD.
__crucible_to_json() {
  builtin local "text=$1" code character
  if [[ $text == *[!$'\x01'-$'\x7f']* ]]; then
    __crucible_to_utf8
  fi
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  if [[ $text == *[$'\x01'-$'\x1f']* ]]; then
    for code in 01 02 03 04 05 06 07 08 0b 0c 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f; do
      builtin printf -v character "\\x$code"
      text=${text//"$character"/\\u00$code}
    done
  fi
  __crucible_json=\"$text\"
}

# Replaces in `text` what is no character: bash keeps each such byte as a character of one byte.
__crucible_to_utf8() {
  builtin local -i at
  builtin local clean= bytes
  for ((at = 0; at < ${#text}; at++)); do
    character=${text:at:1}
    if [[ $character == [$'\x01'-$'\x7f'] ]]; then
      clean+=$character
    else
      builtin local LC_ALL=C
      bytes=${#character}
      builtin unset LC_ALL
      if ((bytes > 1)); then
        clean+=$character
      else
        clean+=$'\ufffd'
      fi
    fi
  done
  text=$clean
}
