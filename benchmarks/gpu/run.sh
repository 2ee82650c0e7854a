#!/usr/bin/env bash
# Run what waits for a GPU, in three parts of at most nine minutes, one after another on the same machine:
#
#     benchmarks/gpu/run.sh 1; benchmarks/gpu/run.sh 2; benchmarks/gpu/run.sh 3
#     benchmarks/gpu/run.sh --rehearse         all parts at a tiny size on the CPU, in a fresh folder
#
# Results go to $OUT, or to results/gpu. What the parts share lies in $UNSCRIBED_GPU_WORK (default: /tmp/unscribed-gpu).
# $PYTHON (default: python3; in a rehearsal .venv/bin/python) needs the packages of machine.txt; pack.sh gathered the rest.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case ${1:-} in
  1 | 2 | 3)
    exec "${PYTHON:-python3}" benchmarks/gpu/run_part.py "$1" --work "${UNSCRIBED_GPU_WORK:-/tmp/unscribed-gpu}" \
      --results "${OUT:-results/gpu}"
    ;;
  --rehearse)
    unset PYTHONPATH  # nothing but the standard library, the machine's packages and the packed ones
    results=${OUT:-results/gpu-rehearsal}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "${PYTHON:-.venv/bin/python}" benchmarks/gpu/environment.py "$work/python"
    status=0
    for part in 1 2 3; do
      "$work/python/bin/python" benchmarks/gpu/run_part.py "$part" --work "$work" --results "$results" --rehearse || status=1
    done
    exit "$status"
    ;;
  *)
    echo "usage: benchmarks/gpu/run.sh 1|2|3|--rehearse" >&2
    exit 2
    ;;
esac
