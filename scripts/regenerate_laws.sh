#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# regenerate_laws.sh DATA [OUTPUT]: the shipped laws, from the public measurements in DATA. The same
# data give the same files. Writes data/laws unless told otherwise, and the report of the fit beside
# it on stdout.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: regenerate_laws.sh DATA [OUTPUT]" >&2; exit 2; }
data=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
output=${2:-$here/data/laws}
joulecast=${JOULECAST:-$here/build/release/cli/joulecast}
tables=$(mktemp -d)
trap 'rm -rf "$tables"' EXIT

import() { # TABLE FORMAT ARGUMENTS...
  local table=$1
  shift
  "$joulecast" import "$@" --output "$tables/$table.csv" >/dev/null
}

kernels=$data/aiconfigurator_kernels
import a100 aiconfigurator-gemm "$kernels/a100_gemm.csv" --device a100-80gb-sxm
import h100 aiconfigurator-gemm "$kernels/h100_gemm.csv" --device h100-80gb-sxm
import l40s aiconfigurator-gemm "$kernels/l40s_gemm.csv" --device l40s
for device in h200:h200-141gb-sxm b200:b200-180gb-sxm; do
  short=${device%%:*} id=${device#*:}
  import "$short" aiconfigurator-gemm "$kernels/${short}_gemm_power.csv" --device "$id"
  import "${short}_attention" aiconfigurator-attention \
    "$kernels/${short}_context_attention_power.csv" --device "$id"
  import "${short}_moe" aiconfigurator-moe "$kernels/${short}_moe_power.csv" --device "$id"
done
import h200_encoder aiconfigurator-encoder-attention \
  "$kernels/h200_encoder_attention_power.csv" --device h200-141gb-sxm
import h200_scale aiconfigurator-computescale \
  "$kernels/h200_computescale_power.csv" --device h200-141gb-sxm
import neusight neusight-ops "$data"/neusight_ops/*_train_*.csv
import vidur vidur-ops "$data"/vidur_profiling/compute/*/*/*/*.csv
import transformer ecai2025-ops "$data/ecai2025/dataForTransformerHEF.csv"
import lstm ecai2025-lstm-ops "$data/ecai2025/dataForLstmHEF.csv"

rm -rf "$output"/*/ "$output/transfer.json"
"$joulecast" fit "$tables"/*.csv --output "$output"
