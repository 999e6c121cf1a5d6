# shellcheck shell=bash disable=SC2034,SC2154
# Read by the scripts here: a bed of hosts, up to the script's end, and jobs on it. Needs root and namespaces; else the script
# ends as skipped.
#
# Argument of each script: the build folder.

build=$1
here=$(dirname "$(readlink -f "$0")")
source=$(readlink -f "$here/../..")
tune=$source/lib/share/cluster.conf
export CPAR_BED=/run/cpar-bed-test OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

skip() {
    echo "SKIPPED: $*"
    exit 77
}

[ "$(id -u)" = 0 ] || skip "needs root, for hosts in namespaces"
for tool in ip ss tc nsenter setpriv ssh sshd ${tools:-}; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || skip "needs $tool; tests/run.sh tells of which package"
done
unshare --net --uts --ipc --pid --mount --fork sh -c 'ip link add name bridge type bridge && ip link add name one type veth peer name two' \
    2>/dev/null || skip "this machine gives no namespaces, or no bridges and cables in them"

set -- "$build/apps" ""
. "$here/../scripts/expect.sh"

bed() {
    "$here/bed.sh" "$@" 9>&-
}

# The machine has one bed for tests: other runs of them wait. Whatever happens, it goes.
exec 9>/run/cpar-bed-test.lock
flock 9
network_before=$(ip -oneline link; ip route)
trap 'bed down; rm -rf "$scratch"' EXIT
bed up 4 || exit 1

# So many ranks of a program run on the hosts of a hostfile: job <hostfile> [option of mpirun ...]
job() {
    local hostfile=$1
    shift
    mpirun="$here/bed.sh run mpirun --hostfile $hostfile --tune $tune $*"
}

# A command on login, with its output and status kept.
login() {
    command="on login: $*"
    timeout 60 "$here/bed.sh" run "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    status=$?
}

# It ended by itself, and not well.
fails() {
    [ $status != 0 ] && [ $status != 124 ]
    verdict $? "ended with status $status"
}

# The README has these messages, and the last command printed one of them.
told() {
    local message seen=1
    for message in "$@"; do
        grep -qF -- "$message" "$source/README.md"
        verdict $? "the README does not tell of: $message"
        cat "$scratch/out" "$scratch/err" | tr '\n' ' ' | tr -s ' ' | grep -qF -- "$message" && seen=0
    done
    verdict $seen "was not printed: $*"
}

# A command of the shell, on each of the hosts that the script begins with.
everywhere() {
    local host
    for host in login node1 node2 node3 node4; do bed exec $host sh -c "$1"; done
}

# The ring's lines for ranks on these hosts.
ring_prints() {
    local n=$# r=0 names="" host
    for host in "$@"; do
        echo "I am rank $r of $n on node $host"
        names+="P$r"
        r=$((r + 1))
    done
    echo "Processor 0 received message \"$names\" from rank $((n - 1))"
}

# begin_ring <description> <command ...>: starts a ring on login, and returns when its ranks run.
begin_ring() {
    command=$1
    shift
    timeout 100 "$here/bed.sh" run "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 9>&- &
    job=$!
    until grep -q "^Processor 0" "$scratch/out" || ! kill -0 $job; do sleep 0.1; done
    began=$SECONDS
}

# It ends within so many seconds.
ends_within() {
    wait $job
    status=$?
    [ $((SECONDS - began)) -le "$1" ]
    verdict $? "took $((SECONDS - began)) s to end, not $1"
}

# No process of a job's is left on these hosts, after so many seconds at the most.
nothing_left() {
    local seconds=$1 host try
    shift
    for host in "$@"; do
        for ((try = 0; try < seconds * 10; try++)); do
            bed exec "$host" pgrep -f 'apps/ring|mpirun|orted' >/dev/null || break
            sleep 0.1
        done
        bed exec "$host" ps ax >"$scratch/err"
        ! bed exec "$host" pgrep -f 'apps/ring|mpirun|orted' >/dev/null
        verdict $? "processes are left on $host"
    done
}

# The end of each script: nothing of the bed is left, and the machine's network is as it was.
finish_with_bed() {
    local network_after
    bed down
    command="bed.sh down"
    : >"$scratch/out"
    network_after=$(ip -oneline link; ip route)
    [ "$network_after" = "$network_before" ] && [ ! -e "$CPAR_BED" ]
    verdict $? "the machine's network is not as it was, or files are left"
    finish
}
