# JSON strings in bash alone: no fork, no external command.

# Sets __crucible_json to the text $1 as a JSON string. Bytes that are not UTF-8 stay as they are:
# the worker reads the line leniently.
__crucible_to_json() {
  builtin local "text=$1" code character
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
