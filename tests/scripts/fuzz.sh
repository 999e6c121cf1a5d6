#!/usr/bin/env bash
# Builds the fuzzer of the wire and runs it: over the corpus, then a number of new inputs.
#
# Arguments: cpar's sources; the number of inputs, 1000000 unless told; a folder where inputs that reach something new are
# kept, to grow the corpus from. The seed is FUZZ_SEED of the environment, 1 unless set, so that runs repeat.
set -u
source=$1
runs=${2:-1000000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
found=${3:-$scratch/found}
mkdir -p "$found"

if ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -x c -fsanitize=fuzzer,address - -o "$scratch/try" 2>"$scratch/why"; then
    echo "SKIPPED: no clang with libFuzzer here: $(head -n 1 "$scratch/why")"
    exit 77
fi
clang -std=c11 -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$source/lib/include" -I"$source/lib/src" "$source"/tests/fuzz_wire.c "$source"/lib/src/{wire,type}.c -o "$scratch/fuzz_wire" || exit 1

inputs=("$source"/tests/corpus/*)
cd "$scratch" || exit 1
./fuzz_wire "${inputs[@]}" >log 2>&1 &&
    ./fuzz_wire -runs="$runs" -seed="${FUZZ_SEED:-1}" -max_len=200 -print_final_stats=1 "$found" "$source/tests/corpus" >>log 2>&1
status=$?
[ $status = 0 ] || tail -n 40 log
echo "fuzz.sh: ${#inputs[@]} inputs of the corpus, $(sed -n 's/^stat::number_of_executed_units: *//p' log) runs, status $status"
[ $status = 0 ]
