#!/usr/bin/env bash
# The reference is built without a warning, and has a page for every public call.
#
# Arguments: cpar's sources, a build folder.
set -u
source=$1
build=$2
checks=1
failures=0

if ! command -v doxygen >/dev/null; then
    echo "SKIPPED: no doxygen here"
    exit 77
fi
if ! cmake --build "$build" --target docs; then
    failures=1
    echo "FAILED: the target docs"
fi

# Macros and functions; of the functions behind macros, the macros.
names=$(sed -nE 's/^#define (cpar_[a-z_]+)[ (].*/\1/p; s/^CPAR_API [^(]*[ *](cpar_[a-z_]+)\(.*/\1/p' "$source"/lib/include/*.h | sed 's/_at$//' | grep -v '_$' | sort -u)
for name in $names; do
    checks=$((checks + 1))
    grep -qE "(Function|Macro Definition) Documentation" "$build/docs/man/man3/$name.3" 2>/dev/null && continue
    failures=$((failures + 1))
    echo "FAILED: no page $name(3)"
done
echo "docs.sh: $checks checks, $failures failures"
[ "$failures" = 0 ] && [ "$checks" -gt 40 ]
