#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh BUILD SECONDS: each reader for SECONDS, from the seeds in tests/fuzz/seeds. What is found
# stays in BUILD/corpus; an input that crashes is named and fails the run.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
build=$1
seconds=$2
for reader in model csv device law measurement import; do
  mkdir -p "$build/corpus/$reader"
  log=$build/fuzz_$reader.log
  if ! "$build/tests/fuzz/fuzz_$reader" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$build/$reader-" -print_final_stats=1 \
    "$build/corpus/$reader" "tests/fuzz/seeds/$reader" >"$log" 2>&1; then
    tail -40 "$log"
    echo "fuzz: $reader fails"
    exit 1
  fi
  echo "fuzz: $reader survived $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
done
