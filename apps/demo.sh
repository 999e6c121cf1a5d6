#!/usr/bin/env bash
# Builds cpar in build/, installing what is missing, and runs the main job: the ring and fib on 4 ranks.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/setup.sh

need_to_build
build build -DCPAR_APPS=ON
show mpirun.openmpi -n 4 --oversubscribe build/apps/ring
show mpirun.openmpi -n 4 --oversubscribe build/apps/fib 38 37 36 35 34 33
