#!/usr/bin/env bash
# Measures cpar against MPI alone, prints tables, and leaves all medians as JSON in build-bench/, with a plot where gnuplot is
# installed.
#
#   tests/bench/run.sh [node] [oversubscribed] [hosts]      all three unless told
#
# node: 2 ranks on this machine. oversubscribed: 4 ranks on it. hosts: 2 ranks on two hosts made of namespaces, which takes
# root. What cpar_init sets of MPI's parameters goes for MPI alone too, in the same run; the columns cpar/def and into/def
# compare with runs of MPI alone as it comes, in turn with these.
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/setup.sh

need_to_build
build build-bench -DCPAR_BENCH=ON
bench=build-bench/tests/bench/bench
rounds=${ROUNDS:-3}

# measure <name> <mpirun and its options ...>: rounds of MPI alone as it comes, and of both.
measure() {
    local name=$1 samples=build-bench/$1.tsv
    shift
    : >"$samples"
    for ((i = 0; i < rounds; i++)); do
        "$@" "$bench" --raw-only --samples 7 | sed 's/\traw\t/\tdefault\t/' >>"$samples"
        "$@" "$bench" --samples 7 >>"$samples"
    done
    echo
    echo "== $name: $*"
    awk -v json="build-bench/$name.json" -f tests/bench/report.awk "$samples" | tee "build-bench/$name.txt"
    if command -v gnuplot >/dev/null; then
        awk '$1 == "pingpong" && $2 + 0 > 0' "build-bench/$name.txt" >"build-bench/$name.dat"
        gnuplot -e "set terminal svg size 800,500; set output 'build-bench/$name.svg'; set logscale x 2; set yrange [0:*]; set grid;
            set xlabel 'bytes'; set ylabel 'time, of that of MPI alone'; set title 'Ping-pong: $name';
            plot 'build-bench/$name.dat' using 2:5 with linespoints title 'cpar, owned messages',
                 '' using 2:6 with linespoints title 'cpar, into own memory',
                 '' using 2:7 with linespoints title 'cpar, of MPI as it comes'"
        echo "build-bench/$name.svg"
    fi
}

[ $# -gt 0 ] || set -- node oversubscribed hosts
for name in "$@"; do
    case $name in
    node) measure node mpirun.openmpi -n 2 --bind-to core ;;
    oversubscribed) measure oversubscribed mpirun.openmpi -n 4 --oversubscribe --bind-to none ;;
    hosts)
        export CPAR_BED=/run/cpar-bed-bench
        trap 'tests/cluster/bed.sh down' EXIT
        tests/cluster/bed.sh up 2
        printf 'node1\nnode2\n' >"$CPAR_BED/hostfile"
        measure hosts tests/cluster/bed.sh run mpirun --hostfile "$CPAR_BED/hostfile" --map-by node -n 2 \
            --mca mtl_ofi_provider_exclude shm,sockets,tcp,udp,rstream,usnic,net
        ;;
    *)
        echo "run.sh: '$name' is none of node, oversubscribed and hosts" >&2
        exit 2
        ;;
    esac
done
