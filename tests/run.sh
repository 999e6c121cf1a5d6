#!/usr/bin/env bash
# Builds cpar and passes its tests, installing what is missing: once as users build it, with a shared
# library, and once with a static one under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/setup.sh

need_to_build
need check clang

build build-tests -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=ON -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
build build-sanitized -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCPAR_SANITIZE=address,undefined

show ctest --test-dir build-tests --output-on-failure -j "$(nproc)"
show ctest --test-dir build-sanitized --output-on-failure -j "$(nproc)" --label-exclude compile
