#!/usr/bin/env bash
# Measures cpar against MPI alone, prints tables, and leaves all medians as JSON in build-bench/, with a plot where gnuplot is
# installed.
#
#   tests/bench/run.sh [own] [work] [node] [oversubscribed] [hosts] [peers]      all but peers unless told
#
# own: what cpar itself takes, time, instructions (where valgrind is installed) and memory. work: cpar_map and pools. node: 2 ranks on this machine. oversubscribed: 4 ranks on it. hosts: 2 ranks on two hosts made of namespaces, which takes
# root. What cpar_init sets of MPI's parameters goes for MPI alone too, in the same run; the columns cpar/def and into/def
# compare with runs of MPI alone as it comes, in turn with these. peers: ping-pong, stream and allgather as under node, and with
# those of mpi4py and Boost.MPI that are installed, under the same parameters.
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/setup.sh

need_to_build
build build-bench -DCPAR_BENCH=ON
bench=build-bench/tests/bench/bench
rounds=${ROUNDS:-3}
ofi=(--mca mtl_ofi_provider_exclude "shm,sockets,tcp,udp,rstream,usnic,net") # as cpar_init

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
    awk -v json="build-bench/$name.json" -f tests/bench/samples.awk -f tests/bench/report.awk "$samples" | tee "build-bench/$name.txt"
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

# own: what cpar takes beyond MPI: for a message of 8 bytes, where MPI's calls do next to nothing, and the most memory of a rank.
own() {
    local run=(mpirun.openmpi -n 2 --bind-to core) out=build-bench/own.txt counts=build-bench/own.callgrind most way
    echo
    echo "== own"
    : >"$counts"
    : >build-bench/own.tsv
    for way in "" lanes; do
        export CPAR_LANES=0
        [ -z "$way" ] || unset CPAR_LANES
        "${run[@]}" build-bench/tests/bench/own $way >>build-bench/own.tsv
        if command -v valgrind >/dev/null; then
            quietly build-bench/own.log "${run[@]}" valgrind --tool=callgrind --callgrind-out-file="$counts.%q{OMPI_COMM_WORLD_RANK}" \
                --toggle-collect='measured_*' build-bench/tests/bench/own $way
            callgrind_annotate --inclusive=yes --threshold=100 "$counts.0" >>"$counts"
            callgrind_annotate --inclusive=yes --threshold=100 "$counts.1" >>"$counts"
        else
            echo "SKIPPED: instructions, for valgrind is not installed (apt-get install valgrind)"
        fi
    done
    awk -v json=build-bench/own.json -f tests/bench/own.awk "$counts" build-bench/own.tsv | tee "$out"
    for most in 8 4194304; do
        for way in --raw-only ""; do
            "${run[@]}" "$bench" $way --peak --most $most --least $most --samples 1 pingpong 2>&1 >/dev/null |
                awk -v who="${way:+MPI alone}" -v bytes=$most '$1 == "peak" { printf "peak memory of a rank, ping-pong of %d bytes, %s: %.1f MiB\n", bytes, who ? who : "with cpar", $2 / 1024 }'
        done
    done | tee -a "$out"
}

work() {
    echo
    echo "== work"
    mpirun.openmpi -n 2 --bind-to core build-bench/tests/bench/work | tee build-bench/work.txt
}

# peers: rounds of MPI alone and cpar, and of each peer, with the cases and sizes that bench had.
peers() {
    local run=(mpirun.openmpi -n 2 --bind-to core --mca btl_vader_eager_limit 8192 "${ofi[@]}")
    local samples=build-bench/peers.tsv programs=() program sizes
    if program=$(/usr/bin/python3 -c 'import mpi4py, numpy; print("mpi4py", mpi4py.__version__, "with numpy", numpy.__version__)' 2>/dev/null); then
        echo "$program"
        programs+=(tests/bench/peers.py)
    else
        echo "SKIPPED: mpi4py is not installed (apt-get install python3-mpi4py python3-numpy)"
    fi
    if echo '#include <boost/mpi.hpp>' | mpicxx.openmpi -x c++ -E - >/dev/null 2>&1; then
        echo "Boost.MPI $(echo BOOST_LIB_VERSION | mpicxx.openmpi -x c++ -E -P -include boost/version.hpp - | tr -d '"')"
        quietly build-bench/peers.log mpicxx.openmpi -O2 -Wall -Wextra tests/bench/peers.cpp -o build-bench/peers -lboost_mpi -lboost_serialization
        programs+=(build-bench/peers)
    else
        echo "SKIPPED: Boost.MPI is not installed (apt-get install libboost-mpi-dev)"
    fi
    : >"$samples"
    for ((i = 0; i < rounds; i++)); do
        "${run[@]}" "$bench" --samples 7 --most $((16 << 20)) pingpong stream allgather >>"$samples"
        mapfile -t sizes < <(awk '!seen[$1, $2]++ { print $1 ":" $2 }' "$samples")
        for program in "${programs[@]}"; do
            "${run[@]}" "$program" 7 "${sizes[@]}" >>"$samples"
        done
    done
    echo
    echo "== peers: ${run[*]}"
    awk -v json=build-bench/peers.json -f tests/bench/samples.awk -f tests/bench/peers.awk "$samples" | tee build-bench/peers.txt
}

[ $# -gt 0 ] || set -- own work node oversubscribed hosts
for name in "$@"; do
    case $name in
    node) measure node mpirun.openmpi -n 2 --bind-to core ;;
    oversubscribed) measure oversubscribed mpirun.openmpi -n 4 --oversubscribe --bind-to none ;;
    hosts)
        export CPAR_BED=/run/cpar-bed-bench
        trap 'tests/cluster/bed.sh down' EXIT
        tests/cluster/bed.sh up 2
        printf 'node1\nnode2\n' >"$CPAR_BED/hostfile"
        measure hosts tests/cluster/bed.sh run mpirun --hostfile "$CPAR_BED/hostfile" --map-by node -n 2 "${ofi[@]}"
        ;;
    own | work) "$name" ;;
    peers) peers ;;
    *)
        echo "run.sh: '$name' is none of own, work, node, oversubscribed, hosts and peers" >&2
        exit 2
        ;;
    esac
done
