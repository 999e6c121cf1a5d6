#!/usr/bin/env bash
# What the apps print, and what they say to wrong command lines.
set -u
. "$(dirname "$0")/expect.sh"

names() {
    local r text=""
    for ((r = 0; r < $1; r++)); do text+="P$r"; done
    echo "$text"
}

for ranks in 0 1 2 3 4 64; do
    n=$((ranks ? ranks : 1))
    expected=""
    for ((r = 0; r < n; r++)); do expected+="I am rank $r of $n on node $host"$'\n'; done
    on $ranks ring
    ends 0
    prints "${expected}Processor 0 received message \"$(names $n)\" from rank $((n - 1))"
done
for ranks in 1 2 3; do
    for token in "--laps 5" "--bytes 1" "--bytes 3000000" "--laps 3 --bytes 100000" "--laps=100 --bytes=5000"; do
        on $ranks ring $token
        ends 0
        lines out 1 "^[0-9]+ laps of [0-9]+ bytes: [0-9.]+ us a hop, all bytes right on every rank$"
    done
done

for way in "" --dynamic; do
    for ranks in 0 1 2 3 4 16; do
        on $ranks fib $way
        ends 0
        prints "[39088169, 24157817, 14930352, 9227465, 5702887, 3524578]"
        on $ranks fib $way 1 2 3 30 10 1 25
        ends 0
        prints "[1, 1, 2, 832040, 55, 1, 75025]"
    done
    on 3 fib --time $way 30
    ends 0
    prints "[832040]"
    lines err 3 "^rank [0-2] on $host: [0-9]+ pieces, [0-9.]+ s$"
    lines err 1 "^[0-9.]+ s of computing in [0-9.]+ s: speedup [0-9.]+, efficiency [0-9.]+ %$"
    count=$(awk '/^rank/ { sum += $5 } END { print sum }' "$scratch/err")
    [ "$count" = "${pieces:=$count}" ]
    verdict $? "the ranks did $count pieces, without --dynamic $pieces"
done
CPAR_SHARE=0 on 4 fib --dynamic 1 2 3 30 10 1 25 # as between hosts: the ranks share no memory
ends 0
prints "[1, 1, 2, 832040, 55, 1, 75025]"

on 3 hello
ends 0
lines out 1 "^the square of 2 is 4$"
lines out 1 "^rank 1 received \"hello\" and 3.14 from rank 0$"
on 0 hello
ends 0
lines out 1 "^rank 0 received \"hello\" and 3.14 from rank 0$"

for ranks in 2 3 4; do
    on $ranks timing --seconds 0.001
    ends 0
    lines out 2 ""
    lines out 1 "^pair +latency \(us, 8 B\) +rate \(M/s, 8 B\) +bandwidth \(MB/s, 4194304 B\)$"
    lines out 1 "^within $host( +[0-9]+\.[0-9]+){3}$"
    lines err 0 "of 3"
done
on 2 timing --all --most 100 --seconds 0.001
ends 0
lines out 6 ""
lines out 1 "^pair +bytes +latency \(us\) +bandwidth \(MB/s\)$"
for bytes in 8 16 32 64 100; do lines out 1 "^within $host +$bytes( +[0-9]+\.[0-9]+){2}$"; done
on 3 timing --all --most=8 --seconds 1e-3
ends 0
lines out 2 ""
for ranks in 0 1; do
    on $ranks timing
    ends 2
    lines err 1 "^timing: needs at least 2 ranks, there is 1$"
    prints ""
done

# terminal <redirection>: runs timing on a terminal. Its bar is to be seen there, and nowhere else.
terminal() {
    command="on a terminal: timing $1"
    timeout 60 script -qec "$mpirun -n 2 $programs/timing --seconds 0.001 $1" /dev/null >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    ends 0
}
if command -v script >/dev/null; then
    terminal ""
    lines out 1 "\[=+> +\] 2 of 3, [0-9.e+]+/s, [0-9]+ s left"
    terminal ">$scratch/table"
    lines out 1 "\[=+> +\] 2 of 3, [0-9.e+]+/s, [0-9]+ s left"
    terminal "2>$scratch/log"
    lines out 0 "of 3"
    terminal "2>&1 | cat"
    lines out 0 "of 3"
fi

# Wrong command lines: one line, from one rank, and status 2.
refused() {
    local ranks
    for ranks in 0 3; do
        on $ranks "$@"
        ends 2
        lines err 1 "^$1: "
        lines err 0 "^cpar: "
        prints ""
    done
}
refused fib x
refused fib 0
refused fib 94
refused fib 10 -3
refused fib 30 ""
refused fib 5.5
refused fib 99999999999999999999
refused fib --fast
refused fib --time=3
refused ring --laps -1
refused ring --laps 0
refused ring --laps
refused ring --bytes x
refused ring --bytes 0
refused ring -z
refused ring 5
refused timing --most 7
refused timing --most 1073741825
refused timing --most
refused timing --seconds 0
refused timing --seconds 10.1
refused timing --seconds nan
refused timing --seconds 1s
refused timing --seconds=
refused timing --all=3
refused timing node1
on 0 ring --laps
lines err 1 "^ring: --laps: its value is missing; --help tells all$"
on 0 timing --seconds x
lines err 1 "^timing: --seconds: 'x' is not accepted, numbers from 0.001 to 10 are$"
on 0 fib --fast
lines err 1 "^fib: --fast: no such option, or one without a value; --help tells all$"
for app in ring fib timing; do
    on 2 $app --help
    ends 0
    lines out 1 "^usage: mpirun -n RANKS $app "
done

finish
