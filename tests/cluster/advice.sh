#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154,SC2207
# The README's advice for when a job on several machines does not run: each message is what one sees, and each cure cures.
set -u
. "$(dirname "$0")/with_bed.sh"

# mpirun <options ...>: the ring on the hosts of hostfile.example.
ring() {
    login mpirun --hostfile "$source/hostfile.example" "$@" "$build/apps/ring"
}

right() {
    ends 0
    lines out 1 "^Processor 0 received message \"P0P1P2P3P4P5P6P7\" from rank 7$"
}

mv "$CPAR_BED/home/.ssh/authorized_keys" "$CPAR_BED/home/.ssh/not_yet"
ring --tune "$tune"
fails
told "Permission denied"
mv "$CPAR_BED/home/.ssh/not_yet" "$CPAR_BED/home/.ssh/authorized_keys"
ring --tune "$tune"
right

ring --tune "$tune" --mca plm_rsh_args "-o StrictHostKeyChecking=yes"
fails
told "Host key verification failed"

sed 's/^node4/nodex/' "$source/hostfile.example" >"$CPAR_BED/misspelt"
login mpirun --hostfile "$CPAR_BED/misspelt" --tune "$tune" "$build/apps/ring"
fails
told "Could not resolve hostname nodex"

bed exec login cp "$build/apps/ring" /tmp/ring
login mpirun --hostfile "$source/hostfile.example" --tune "$tune" /tmp/ring
fails
told "could not access or execute an executable"

ring --tune "$tune" -n 9
fails
told "There are not enough slots available in the system"
ring --tune "$tune" -n 9 --oversubscribe
ends 0
ring --tune "$tune" -n 8
right

login env -u OMPI_ALLOW_RUN_AS_ROOT mpirun --hostfile "$source/hostfile.example" --tune "$tune" "$build/apps/ring"
fails
told "mpirun has detected an attempt to run as root"

# A bridge like Docker's on each machine, of the same address everywhere.
everywhere 'ip link add docker0 type veth peer name docker1 && ip address add 172.17.0.1/16 dev docker0 && ip link set docker0 up && ip link set docker1 up'
mpirun="$here/bed.sh run timeout 20 mpirun --hostfile $source/hostfile.example --tune $tune"
on 8 ring
[ $status != 0 ]
verdict $? "messages got through, though the bridges are in the way"
told "received unexpected process identifier" "failed to TCP connect to a peer MPI process"
sed -E 's/^#(-mca (oob|btl)_tcp_if_include)/\1/' "$tune" >"$CPAR_BED/network.conf"
ring --tune "$CPAR_BED/network.conf"
right
everywhere 'ip link delete docker0'

finish_with_bed
