#!/usr/bin/env bash
# Projects outside of cpar: in C and C++, by find_package, by pkg-config and as a subdirectory, against a
# static and a shared library.
#
# Arguments: cpar's sources, the MPI compiler of C, the command that stands for mpirun.
set -u
source=$1
mpicc=$2
mpirun=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=0
failures=0
log=$scratch/log

# The consumer at $1 prints what it should on 2 ranks.
check_runs() {
    checks=$((checks + 1))
    [ "$(timeout 60 $mpirun -n 2 "$1" 2>>"$log")" = "3.5
2.5" ] && return
    failures=$((failures + 1))
    echo "FAILED: $2"
    tail -n 20 "$log"
}

for shared in OFF ON; do
    prefix=$scratch/prefix$shared
    {
        cmake -S "$source" -B "$scratch/cpar$shared" -DMPI_C_COMPILER="$mpicc" -DBUILD_SHARED_LIBS=$shared -DCPAR_APPS=OFF &&
            cmake --build "$scratch/cpar$shared" -j 2 && cmake --install "$scratch/cpar$shared" --prefix "$prefix"
    } >"$log" 2>&1 || { cat "$log"; exit 1; }
    export LD_LIBRARY_PATH=$prefix/lib

    for language in C CXX; do
        wrapper=$mpicc
        [ $language = C ] || wrapper=${mpicc/mpicc/mpicxx}
        build=$scratch/package$shared$language
        { cmake -S "$source/tests/consumer" -B "$build" -DHOW=package -DLANGUAGE=$language -DCMAKE_PREFIX_PATH="$prefix" \
            -DMPI_${language}_COMPILER="$wrapper" && cmake --build "$build"; } >"$log" 2>&1
        check_runs "$build/consumer" "find_package, $language, shared $shared"
    done

    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    { cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/tests/consumer/consumer.c" -o "$scratch/pc$shared" $(pkg-config --cflags --libs cpar); } >"$log" 2>&1
    check_runs "$scratch/pc$shared" "pkg-config, C, shared $shared"
    { c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "$source/tests/consumer/consumer.cpp" -o "$scratch/pcxx$shared" $(pkg-config --cflags --libs cpar); } >"$log" 2>&1
    check_runs "$scratch/pcxx$shared" "pkg-config, C++, shared $shared"

    build=$scratch/sub$shared
    { cmake -S "$source/tests/consumer" -B "$build" -DHOW=subdirectory -DLANGUAGE=C -DCPAR_SOURCE="$source" -DBUILD_SHARED_LIBS=$shared \
        -DMPI_C_COMPILER="$mpicc" && cmake --build "$build" -j 2; } >"$log" 2>&1
    check_runs "$build/consumer" "add_subdirectory, shared $shared"
done

# A shared library shows the public names alone.
checks=$((checks + 1))
hidden=$(nm -D --defined-only "$scratch/prefixON/lib/libcpar.so" | awk '{ print $3 }' | grep -vE '^(cpar_[a-z]|CPAR_[A-Z])' | grep -v '^$')
public=$(nm -D --defined-only "$scratch/prefixON/lib/libcpar.so" | grep -c ' T cpar_[a-z]')
if [ -n "$hidden" ] || [ "$public" -lt 30 ] || nm -D --defined-only "$scratch/prefixON/lib/libcpar.so" | grep -q cpar__; then
    failures=$((failures + 1))
    echo "FAILED: the shared library shows $public public names, and: $hidden"
fi

# And nothing of MPI reaches who includes the public header.
checks=$((checks + 1))
if echo '#include <cpar.h>' | cc -E -x c -I"$source/lib/include" - | grep -qi 'mpi\.h'; then
    failures=$((failures + 1))
    echo "FAILED: cpar.h includes mpi.h"
fi

echo "consumer.sh: $checks checks, $failures failures"
[ "$failures" = 0 ]
