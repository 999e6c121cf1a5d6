# shellcheck shell=bash disable=SC2034,SC2206
# Read by the scripts here: runs programs, and compares what they print and how they end.
#
# Arguments of each script: the folder of the program, the command that stands for mpirun.

programs=$1
mpirun=$2
failures=0
checks=0
host=$(uname -n)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# on <ranks> <program> [argument ...]: runs it, keeping status, standard output and standard error.
# With 0 ranks: without mpirun.
on() {
    local ranks=$1 launcher=()
    local program=$programs/$2
    shift 2
    [ "$ranks" = 0 ] || launcher=($mpirun -n "$ranks")
    command="${launcher[*]:+mpirun -n $ranks }${program##*/} $*"
    local try
    for try in 1 2 3; do
        timeout -k 5 60 "${launcher[@]}" "$program" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
        # mpirun of Open MPI 4.1.4 with PMIx 4.2.2 now and then crashes itself when it ends an aborted job, or gets stuck when the job has
        # ended, and does not even heed the signal to end (status 137; it does while ranks of a job run).
        [ "$status" = 137 ] || grep -q 'libpmix.*PMIx_server_finalize' "$scratch/err" || break
    done
}

verdict() {
    checks=$((checks + 1))
    [ "$1" = 0 ] && return
    failures=$((failures + 1))
    printf 'FAILED: %s\n  %s\n' "$command" "$2" >&2
    sed 's/^/  | /' "$scratch/out" "$scratch/err" | cut -c 1-200 | head -n 30 >&2
}

# The exit status, one of those given.
ends() {
    local wanted
    for wanted in "$@"; do [ "$status" = "$wanted" ] && { verdict 0; return; }; done
    verdict 1 "ended with status $status, not $*"
}

# Standard output is exactly this.
prints() {
    [ "$(cat "$scratch/out")" = "$1" ]
    verdict $? "should have printed exactly: $1"
}

# So many lines of standard output, or of standard error, match.
lines() {
    local stream=$1 count=$2 pattern=$3 found
    found=$(grep -cE -- "$pattern" "$scratch/$stream")
    [ "$found" = "$count" ]
    verdict $? "$found lines on $stream match, not $count: $pattern"
}

# At least one line of it matches: of an error that all ranks meet, the first may end the job before the others tell.
some() {
    grep -qE -- "$2" "$scratch/$1"
    verdict $? "no line on $1 matches: $2"
}

finish() {
    echo "${0##*/}: $checks checks, $failures failures"
    [ "$failures" = 0 ] && [ "$checks" -gt 0 ]
    exit
}
