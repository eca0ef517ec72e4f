#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules of the tree, as a test. Each rule names the files that break it.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
broken=$(mktemp)  # a file, since the rules run at the end of pipes
trap 'rm -f "$broken"' EXIT

# rule "WHAT IS WRONG" < list of places
rule() {
  local places
  places=$(cat)
  [ -z "$places" ] && return
  printf 'rule broken: %s\n%s\n' "$1" "$places"
  echo "$1" >>"$broken"
}

list() { git ls-files -co --exclude-standard "$@" | while read -r file; do [ -f "$file" ] && echo "$file"; done; }

sources=$(list '*.cpp' '*.hpp')
for file in $sources; do
  [ "$(head -n 1 "$file")" = "// SPDX-License-Identifier: Apache-2.0" ] || echo "$file"
done | rule "a source does not start with its SPDX line"

for file in $(list 'include/*.hpp' 'src/*.hpp' 'cli/*.hpp'); do
  grep -q '^#pragma once$' "$file" || echo "$file"
done | rule "a header lacks #pragma once"

awk 'length($0) > 100 && $0 !~ /https?:|R"|TEST\(|"/ { print FILENAME ":" FNR }' $sources |
  rule "a line is longer than 100 columns"

# Data flows one way: a room may use those listed, and everybody may use quantities, documents and
# version.hpp. ARCHITECTURE.md draws the same arrows.
arrows='
metering:
model:
training:
readers: model
operations: model training
memory: model training operations
hardware: training
measurements: training operations hardware
laws: hardware operations training measurements
durations: hardware laws operations measurements
energy: durations hardware laws operations
validation: model operations training hardware measurements laws durations energy prediction
ecai2025: laws
prediction: model training operations memory hardware measurements laws durations energy ecai2025
fitting: laws measurements operations hardware
calibration: fitting validation laws measurements operations hardware
reproduction: ecai2025 fitting laws
reports: metering model readers training operations memory hardware measurements laws durations energy validation ecai2025 prediction calibration reproduction
documents:'
room_of_header() {
  case "$1" in
    layers) echo model ;;
    device | region) echo hardware ;;
    law | law_family | power_law) echo laws ;;
    fit | regression) echo calibration ;;
    measurement) echo measurements ;;
    meter) echo metering ;;
    operation | optimizer) echo operations ;;
    duration) echo durations ;;
    explanation) echo prediction ;;
    settings_file | shipped_model) echo readers ;;
    report) echo reports ;;
    quantities | error | suggest | version) echo documents ;;
    *) echo "$1" ;;
  esac
}
for path in src/*/; do
  room=$(basename "$path")
  # Not through a pipe: grep ends at its first match, and a writer that it leaves behind fails.
  grep -q "^$room:" <<<"$arrows" || echo "src/$room is not in the list of rooms"
  allowed="$room documents $(printf '%s\n' "$arrows" | sed -n "s/^$room://p")"
  grep -nHoE '#include ("[a-z0-9_]+/|<joulecast/[a-z0-9_]+)' "$path"*.?pp |
    while IFS=: read -r file line include; do
      case "$include" in
        *'"'*) target=$(dirname "${include#*\"}/x") ;;
        *) target=$(room_of_header "${include##*/}") ;;
      esac
      case " $allowed " in *" $target "*) ;; *) echo "$file:$line includes $target" ;; esac
    done
done | rule "a room includes one that it must not know"

grep -nE '#include "(src/|\.\./)|#include "(documents|laws|fitting|reports|prediction)/' \
  cli/*.?pp include/joulecast/*.hpp | rule "the command line or a public header sees a private one"

grep -nE '^ *# *include .*\.(cpp|cc|c)[">]' $sources | rule "a source is included"

grep -nE '\b(printf|fputs|puts|exit|getenv)\(|std::(cout|cerr|exit)' $(list 'src/*.cpp' 'src/*.hpp') |
  rule "the library prints, exits or reads the environment"

# Numbers in data files carry their unit as the last word, or are pure numbers named here.
pure='schema_version|launch_year|year|multiprocessors|published_parameters|compute_fraction|bandwidth_fraction|idle_fraction|lower_factor|upper_factor|value|fp32|tf32|fp16|bf16|fp8|fp4|int8'
grep -nE '^[a-z0-9_]+ *= *-?[0-9]' $(list 'data/*.toml') |
  grep -vE ":($pure) *=" |
  grep -vE '(_seconds|_joules|_watts|_bytes|_bytes_per_second|_flops_per_second|_kilograms_per_joule|_per_multiprocessor) *=' |
  rule "a key in a data file lacks its unit"

# Links between documents.
for file in $(list '*.md'); do
  grep -noE '\]\([^)#]+' "$file" | sed 's/](//' | while IFS=: read -r line target; do
    case "$target" in http*) continue ;; esac
    [ -e "$(dirname "$file")/$target" ] || echo "$file:$line -> $target"
  done
done | rule "a link points nowhere"

grep -noE 'docs/[a-z0-9_/-]+\.md' $(list 'src/*' 'cli/*' 'include/*' 'data/*') |
  while IFS=: read -r file line target; do [ -e "$target" ] || echo "$file:$line -> $target"; done |
  rule "a source cites a document that does not exist"

[ -s "$broken" ] && exit 1
echo "tree rules: all hold"
