#!/bin/sh
# Gates a deploy the way CI jobs do: by the exit code, and by reading --json. LLMKUBE is the command to run, as words.
# Prints one line for each model: its name and what was decided.
set -u

# Without jq: the string or number after a key that occurs once.
field() {
  sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

for model in "$@"; do
  json=$($LLMKUBE check-memory "$model" --offline --json)
  code=$?
  verdict=$(printf '%s\n' "$json" | field verdict)
  case $code in
    0) echo "$model: deploy ($verdict, $(printf '%s\n' "$json" | field headroomBytes) bytes to spare)" ;;
    1) echo "$model: stop ($verdict)" ;;
    3) echo "$model: ask someone ($(printf '%s\n' "$json" | field code))" ;;
    *) echo "$model: broken call ($code)" ;;
  esac
done

if $LLMKUBE check-memory "$1" --offline >/dev/null 2>&1; then echo "gate: open"; else echo "gate: closed"; fi
