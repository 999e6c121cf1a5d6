#!/usr/bin/env bash
# Several hosts on one machine, to run jobs across: each with its own network, host name, processes, mounts and shared
# memory, a temporary directory, and an sshd, joined by cables to a switch that has no way out. Needs root.
#
#   bed.sh up [HOSTS]              4 hosts, node1 to node4, unless told; 16 at most; and a host `login` beside them
#   bed.sh run COMMAND ...         runs a command on login, from which `ssh node2` and `mpirun --hostfile` work
#   bed.sh exec HOST COMMAND ...   runs a command on a host
#   bed.sh cut HOST, heal HOST     pulls the host's cable, and puts it back
#   bed.sh crash HOST              pulls its cable and stops it, for good
#   bed.sh slow RATE               lets each cable carry so much, say 100mbit; `none` takes that back
#   bed.sh sent HOST               prints how many bytes the host has sent so far
#   bed.sh slurm                   starts Slurm: its controller on login, and on all others what runs jobs, 2 ranks on each
#   bed.sh down                    ends all this
#
# The hosts share the machine's file system, but for /tmp and some files in /etc. CPAR_BED is the folder where the bed keeps
# its own files, /run/cpar-bed unless set; two beds need two folders. Nothing of the machine's own network is touched, and
# all of a bed is in processes that `down` ends.
set -euo pipefail
bed=${CPAR_BED:-/run/cpar-bed}
self=$(readlink -f "$0")
here=$(dirname "$self")
tree=$(readlink -f "$here/../..")

fail() {
    echo "bed.sh: $*" >&2
    exit 1
}

# ---- Processes: each host's first one, and one that holds the switch ---------------------------

# The process that holds a host. A recorded number that has come to mean another process is not one.
holder() {
    local pid space
    read -r pid space 2>/dev/null <"$bed/$1/holder" || return 1
    [ "$(readlink "/proc/$pid/ns/net" 2>/dev/null)" = "$space" ] || return 1
    echo "$pid"
}

# hold <name> <command> ...: starts a command in spaces of its own, and records it.
hold() {
    local name=$1 parent pid=""
    shift
    mkdir -p "$bed/$name"
    setsid unshare --net --uts --ipc --pid --mount --fork --mount-proc --propagation private "$@" \
        </dev/null >"$bed/$name/log" 2>&1 &
    parent=$!
    while [ -z "$pid" ]; do
        [ -d "/proc/$parent" ] || fail "$name does not start: $(cat "$bed/$name/log")"
        read -r pid <"/proc/$parent/task/$parent/children" || true
    done
    echo "$pid $(readlink "/proc/$pid/ns/net")" >"$bed/$name/holder"
}

in_net() {
    local pid
    pid=$(holder "$1") || fail "there is no host '$1' up"
    shift
    nsenter --target "$pid" --net "$@"
}

# ---- Up ----------------------------------------------------------------------------------------

names() {
    local i
    for ((i = 1; i <= $1; i++)); do echo "node$i"; done
}

write_files() {
    local i
    mkdir -p "$bed/etc" "$bed/home/.ssh"
    chmod 700 "$bed/home/.ssh"
    ssh-keygen -q -t ed25519 -N "" -f "$bed/etc/host_key"
    ssh-keygen -q -t ed25519 -N "" -f "$bed/home/.ssh/id_ed25519"
    cp "$bed/home/.ssh/id_ed25519.pub" "$bed/home/.ssh/authorized_keys"

    echo "127.0.0.1 localhost" >"$bed/etc/hosts"
    for ((i = 1; i <= $1; i++)); do echo "10.77.0.$i node$i"; done >>"$bed/etc/hosts"
    echo "10.77.0.100 login" >>"$bed/etc/hosts"
    : >"$bed/etc/resolv.conf"
    # No login profile: the shell is sh, and the home is the bed's.
    sed "s|^root:.*|root:x:0:0:root:$bed/home:/bin/sh|" /etc/passwd >"$bed/etc/passwd"
    cat >"$bed/etc/ssh_config" <<END
Host *
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
END
    cat >"$bed/etc/sshd_config" <<END
HostKey $bed/etc/host_key
AuthorizedKeysFile $bed/home/.ssh/authorized_keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
MaxStartups 100
END
    # The hosts share this machine's cores.
    cat >"$bed/etc/openmpi-mca-params.conf" <<END
mpi_yield_when_idle = 1
hwloc_base_binding_policy = none
END
}

# plug <host> <number>: a cable from the host to the switch.
plug() {
    local pid
    pid=$(holder "$1")
    in_net switch ip link add "$1" type veth peer name eth0 address "02:00:0a:4d:00:$(printf %02x "$2")" netns "$pid"
    in_net switch ip link set "$1" master bridge up
    in_net "$1" sh -c "ip link set lo up && ip address add 10.77.0.$2/24 dev eth0 && ip link set eth0 up"
}

up() {
    local hosts=${1:-4} name number=0
    case $hosts in [1-9] | 1[0-6]) ;; *) fail "'$hosts' hosts, accepted are 1 to 16" ;; esac
    down
    mkdir -p "$bed" /run/sshd
    touch "$bed/made-by-bed.sh"
    write_files "$hosts"
    hold switch sleep infinity
    in_net switch sh -c "ip link add bridge type bridge && ip link set bridge up"
    for name in $(names "$hosts") login; do
        hold "$name" "$self" --become "$name"
        number=$((number + 1))
        [ "$name" = login ] && number=100
        plug "$name" "$number"
    done
    for name in $(names "$hosts"); do
        until in_net "$name" ss -Hltn sport 22 | grep -q .; do
            holder "$name" >/dev/null || fail "$name does not start: $(cat "$bed/$name/log")"
            sleep 0.01
        done
    done
}

# What a host's first process does.
become() {
    local name=$1 file
    hostname "$name"
    mount -t tmpfs tmpfs /dev/shm
    # A /tmp of its own, in which the tree is to be seen still if that is where it is.
    mkdir -p "$bed/$name/tree"
    mount --bind "$tree" "$bed/$name/tree"
    mount -t tmpfs tmpfs /tmp
    chmod 1777 /tmp
    if [ ! -d "$tree" ]; then
        mkdir -p "$tree"
        mount --bind "$bed/$name/tree" "$tree"
    fi
    echo "$name" >"$bed/$name/hostname"
    mount --bind "$bed/$name/hostname" /etc/hostname
    for file in hosts resolv.conf passwd ssh/ssh_config openmpi/openmpi-mca-params.conf; do
        mount --bind "$bed/etc/${file##*/}" "/etc/$file"
    done
    cd /
    exec /usr/sbin/sshd -D -e -f "$bed/etc/sshd_config"
}

# ---- Use ---------------------------------------------------------------------------------------

run_on() {
    local pid
    pid=$(holder "$1") || fail "there is no host '$1' up"
    shift
    unset TMPDIR
    [ ! -e "$bed/slurm" ] || export SLURM_CONF=$bed/slurm/slurm.conf
    # nsenter forks to get into the host's processes. If it is ended, what it runs is to end too.
    # shellcheck disable=SC2016
    HOME=$bed/home USER=root LOGNAME=root SHELL=/bin/sh nsenter --target "$pid" --root --mount --uts --ipc --net --pid \
        setpriv --pdeathsig TERM sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

every_cable() {
    local folder
    for folder in "$bed"/*/holder; do
        folder=${folder%/holder}
        [ "${folder##*/}" = switch ] || echo "${folder##*/}"
    done
}

slow() {
    local host
    for host in $(every_cable); do
        holder "$host" >/dev/null || continue
        in_net switch tc qdisc delete dev "$host" root 2>/dev/null || true
        in_net "$host" tc qdisc delete dev eth0 root 2>/dev/null || true
        [ "$1" = none ] && continue
        in_net switch tc qdisc add dev "$host" root tbf rate "$1" burst 64kb latency 100ms
        in_net "$host" tc qdisc add dev eth0 root tbf rate "$1" burst 64kb latency 100ms
    done
}

crash() {
    in_net switch ip link set "$1" down
    kill -KILL "$(holder "$1")"
}

# ---- Slurm -------------------------------------------------------------------------------------

write_slurm_files() {
    local hosts=$1
    mkdir -p "$bed/slurm/state"
    head -c 128 /dev/urandom >"$bed/slurm/munge.key"
    chmod 600 "$bed/slurm/munge.key"
    # No systemd and no control groups here: Slurm finds a job's processes by who started whom. Signs of life are asked
    # for more often than on a real cluster.
    cat >"$bed/slurm/slurm.conf" <<END
ClusterName=bed
SlurmctldHost=login
SlurmUser=root
AuthInfo=socket=/tmp/munge.socket
StateSaveLocation=$bed/slurm/state
SlurmdSpoolDir=/tmp/slurmd
SlurmctldPidFile=/tmp/slurmctld.pid
SlurmdPidFile=/tmp/slurmd.pid
SlurmctldLogFile=$bed/slurm/slurmctld.log
SlurmdLogFile=$bed/slurm/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=pmix
KillOnBadExit=1
KillWait=2
SlurmdTimeout=10
SchedulerParameters=sched_interval=1
NodeName=node[1-$hosts] CPUs=2
PartitionName=all Nodes=ALL Default=YES OverSubscribe=NO
END
    # The servers of PMIx are of one host each: what they keep in files must not be shared.
    echo "PMIxCliTmpDirBase=/tmp" >"$bed/slurm/mpi.conf"
    # Of the two plugins for control groups, which Slurm loads in any case, the one that does not look for them at once.
    echo "CgroupPlugin=cgroup/v1" >"$bed/slurm/cgroup.conf"
}

slurm() {
    local host hosts
    hosts=$(every_cable | grep -c node)
    write_slurm_files "$hosts"
    for host in $(every_cable); do
        run_on "$host" munged --force --key-file "$bed/slurm/munge.key" --socket /tmp/munge.socket --pid-file /tmp/munge.pid \
            --log-file /tmp/munge.log --seed-file /tmp/munge.seed
    done
    run_on login slurmctld
    for host in $(every_cable | grep node); do
        run_on "$host" slurmd
    done
    run_on login sh -c "for try in \$(seq 300); do [ \$(sinfo -h -t idle -o %D) = $hosts ] && exit; sleep 0.1; done; sinfo; exit 1"
}

# ---- Down --------------------------------------------------------------------------------------

down() {
    local name pid
    [ -e "$bed/made-by-bed.sh" ] || return 0
    for name in $(every_cable) switch; do
        pid=$(holder "$name") && kill -KILL "$pid"
        while holder "$name" >/dev/null; do sleep 0.01; done
    done
    rm -rf "$bed"
}

[ $# -gt 0 ] || { sed -n '2,/^set /{s/^# \{0,1\}//p}' "$self"; exit 2; }
[ "$(id -u)" = 0 ] || fail "needs root, for namespaces"
verb=$1
shift
case $verb in
up) up "$@" ;;
run) run_on login "$@" ;;
exec) run_on "$@" ;;
cut) in_net switch ip link set "$1" down ;;
heal) in_net switch ip link set "$1" up ;;
crash) crash "$1" ;;
slow) slow "$1" ;;
slurm) slurm ;;
sent) in_net switch ip -s link show dev "$1" | awk '/RX:/ { getline; print $1 }' ;;
down) down ;;
--become) become "$@" ;;
*) fail "'$verb' is none of up, run, exec, cut, heal, crash, slow, sent, slurm and down" ;;
esac
