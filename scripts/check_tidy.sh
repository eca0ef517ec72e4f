#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_tidy.sh BUILD: clang-format on every source, every source of src/ and cli/ compiled alone,
# clang-tidy on both.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
build=$1
git ls-files -co --exclude-standard -z '*.cpp' '*.hpp' |
  xargs -0 clang-format-19 --dry-run -Werror
echo "clang-format: every source is formatted"
ninja -C "$build" joulecast_alone >"$build/alone.log" || { cat "$build/alone.log"; exit 1; }
echo "clang: every source compiles alone"
# The compile commands name whole rooms: the headers, where the checks spend their time, are read
# once for all files of a room. HeaderFilterRegex has the files of the room looked at.
sed -n 's/^  "file": "\(.*\)",\?$/\1/p' "$build/compile_commands.json" |
  grep -v '/tests/\|/embedded_files\.cpp$\|/git_commit\.cpp$' |
  xargs -P "$(nproc)" -n 1 clang-tidy-19 -p "$build" --quiet 2> >(grep -v 'warnings generated\|^Suppressed\|^Use -' >&2)
echo "clang-tidy: nothing found"
