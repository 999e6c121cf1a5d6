#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154,SC2207
# The apps and the suites with their ranks on several hosts, which the network joins as networks of real clusters do.
set -u
. "$(dirname "$0")/with_bed.sh"

# suites <ranks> <suite> ...
suites() {
    local ranks=$1 suite programs=$build/tests
    shift
    for suite in "$@"; do
        on "$ranks" "test_$suite"
        ends 0
        lines out 1 "^$suite: [0-9]+ tests on each of $ranks ranks, 0 failures$"
    done
}

# The table has a line for each of these pairs, in this order.
pairs() {
    [ "$(sed 's/  .*//' "$scratch/out")" = "$(printf '%s\n' pair "$@")" ]
    verdict $? "should have measured these pairs: $(printf '%s; ' "$@")"
    lines out $# "^(within )?node[0-9].*( +[0-9]+\.[0-9]+){3}$"
}

# ---- The hosts of hostfile.example, as it stands

login ssh node2 uname -n
ends 0
prints node2

job "$source/hostfile.example"
on 8 ring
ends 0
prints "$(ring_prints node1 node1 node2 node2 node3 node3 node4 node4)"
on 8 fib
ends 0
prints "[39088169, 24157817, 14930352, 9227465, 5702887, 3524578]"
on 4 timing --seconds 0.001
ends 0
pairs "within node1" "within node2" "node1 - node2"
suites 8 inline threads map pool

job "$source/hostfile.example" --map-by node
on 4 ring
ends 0
prints "$(ring_prints node1 node2 node3 node4)"
on 3 timing --seconds 0.001
ends 0
pairs "node1 - node2" "node1 - node3" "node2 - node3"
on 7 timing --seconds 0.001
ends 0
pairs "within node1" "within node2" "within node3" "node1 - node2" "node1 - node3" "node1 - node4" "node2 - node3" "node2 - node4" "node3 - node4"
for ranks in 2 3 4; do
    suites $ranks values p2p inline order collective parts reduce group error threads map pool
done

# ---- What crosses the wires: 3 laps of 1000000 bytes, from each host once a lap; but nothing between ranks of one host

sent_by() {
    local host
    for host in node1 node2 node3 node4; do bed sent "$host"; done
}

before=($(sent_by))
on 4 ring --laps 3 --bytes 1000000
ends 0
after=($(sent_by))
for i in 0 1 2 3; do
    bytes=$((after[i] - before[i]))
    [ $bytes -gt 3000000 ] && [ $bytes -lt 3500000 ]
    verdict $? "node$((i + 1)) sent $bytes bytes, of a message of 3000000 in all"
done
job "$source/hostfile.example"
before=($(sent_by))
on 2 ring --laps 3 --bytes 1000000
ends 0
after=($(sent_by))
bytes=$((after[0] - before[0]))
[ $bytes -lt 300000 ]
verdict $? "node1 sent $bytes bytes, for messages within it"

# ---- Other clusters: uneven slots, IPv4 alone, a slow network, 16 hosts

printf 'node1 slots=3\nnode2 slots=1\nnode3 slots=2\nnode4 slots=1\n' >"$CPAR_BED/uneven"
job "$CPAR_BED/uneven"
on 7 ring
ends 0
prints "$(ring_prints node1 node1 node1 node2 node3 node3 node4)"
suites 7 inline order collective parts reduce group map pool

everywhere 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
for host in login node1 node2 node3 node4; do
    command="IPv4 alone on $host"
    ! bed exec $host ip -6 address | grep -q inet6
    verdict $? "there is IPv6"
done
job "$source/hostfile.example" --map-by node
suites 4 p2p collective

bed slow 100mbit
on 4 ring --laps 2 --bytes 1000000
ends 0
lines out 1 "^2 laps of 1000000 bytes: [0-9.]+ us a hop, all bytes right on every rank$"
hop=$(sed -nE 's/.*: ([0-9]+)[0-9.]* us a hop.*/\1/p' "$scratch/out")
[ "${hop:-0}" -gt 60000 ]
verdict $? "a hop of 1000000 bytes, 80 ms at 100 Mbit/s, took ${hop:-no} us: the network is not slow"
suites 4 order reduce
bed slow none

bed up 16 || exit 1
hosts=(node{1..16})
printf '%s\n' "${hosts[@]}" >"$CPAR_BED/sixteen"
job "$CPAR_BED/sixteen" --map-by node
on 16 ring
ends 0
prints "$(ring_prints "${hosts[@]}")"
suites 16 collective parts reduce map pool

# Work across 16 hosts with 1 to 3 ranks each: right, and evenly spread.
for i in {1..16}; do echo "node$i slots=$((i % 3 + 1))"; done >"$CPAR_BED/ragged"
job "$CPAR_BED/ragged"
programs=$build/tests on 31 naps
ends 0
lines out 1 "^each rank did from [0-9]+ to [0-9]+$"
read -r least most < <(sed -nE 's/.* from ([0-9]+) to ([0-9]+)$/\1 \2/p' "$scratch/out")
[ "${least:-0}" -ge 30 ] && [ "${most:-999}" -le 90 ]
verdict $? "each rank should have done about 60, but from ${least:-?} to ${most:-?}"

finish_with_bed
