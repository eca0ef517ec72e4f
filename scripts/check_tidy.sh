#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_tidy.sh BUILD: clang-format on every source, clang-tidy on src/ and cli/.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
build=$1
git ls-files -co --exclude-standard -z '*.cpp' '*.hpp' |
  xargs -0 clang-format-19 --dry-run -Werror
echo "clang-format: every source is formatted"
git ls-files -co --exclude-standard -z 'src/*.cpp' 'cli/*.cpp' |
  xargs -0 -P "$(nproc)" -n 4 clang-tidy-19 -p "$build" --quiet 2> >(grep -v 'warnings generated\|^Suppressed\|^Use -' >&2)
echo "clang-tidy: nothing found"
