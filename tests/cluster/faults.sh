#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154,SC2207
# Whatever is lost while a job runs, the job ends: with a message and another status than 0, and without processes left
# behind. A cable that is put back in time costs time, and nothing else.
set -u
. "$(dirname "$0")/with_bed.sh"

# Starts a ring on all hosts, of so many laps.
begin() {
    begin_ring "a ring of $1 laps on 8 ranks, $2" mpirun --hostfile "$source/hostfile.example" --tune "$tune" \
        "$build/apps/ring" --laps "$1" --bytes 20000
}

# It failed, and says so.
fails_with() {
    fails
    some err "$1"
}

begin 100000000 "of which one is killed"
bed exec node3 pkill -KILL -o ring
ends_within 15
fails_with "exited on signal 9|returned a non-zero exit code|non-zero status|peer process has unexpectedly disconnected"
nothing_left 5 login node1 node2 node3 node4

begin 100000000 "of which the daemon on one host is killed"
bed exec node3 pkill -KILL orted
ends_within 15
fails_with "lost communication with a remote daemon"
nothing_left 5 login node1 node2 node3 node4

for signal in TERM KILL; do
    begin 100000000 "of which mpirun gets SIG$signal"
    bed exec login pkill -$signal -x mpirun
    ends_within 15
    fails
    nothing_left 15 login node1 node2 node3 node4
done

begin 20000 "of which one host's cable is cut for 8 s"
bed cut node3
sleep 8
bed heal node3
ends_within 90
ends 0
lines out 1 "^20000 laps of 20000 bytes: .* all bytes right on every rank$"

begin 100000000 "of which one host's cable is cut for good"
bed cut node3
ends_within 15
fails_with "lost communication with a remote daemon"
nothing_left 5 login node1 node2 node4
nothing_left 20 node3
bed heal node3

begin 100000000 "of which one host crashes"
bed crash node4
ends_within 15
fails_with "lost communication with a remote daemon"
nothing_left 5 login node1 node2 node3

finish_with_bed
