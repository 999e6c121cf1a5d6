#!/usr/bin/env bash
# What the examples print, compared with what awk computes, at several rank counts; and that they are short.
set -u
. "$(dirname "$0")/expect.sh"
sources=$(cd "$(dirname "$0")/../../apps/examples" && pwd)

for ranks in 2 3 4 10; do
    on $ranks letters
    ends 0
    prints "$(awk 'BEGIN { for (i = 1; i <= 10; i++) print substr("ABCDEFGHIJ", i, 1) " is letter " i " of the alphabet" }')"
done
on 13 letters # more workers than letters
ends 0
lines out 10 "^[A-J] is letter [0-9]+ of the alphabet$"
for ranks in 0 1; do
    on $ranks letters
    ends 2
    prints ""
    lines err 1 "^letters: there is one rank, 2 or more are accepted$"
done

heat=$(awk 'BEGIN {
    old[32] = 1000
    for (step = 0; step < 500; step++) {
        for (i = 0; i < 64; i++) fresh[i] = old[i] + 0.25 * (old[i - 1] - 2 * old[i] + old[i + 1])
        for (i = 0; i < 64; i++) old[i] = fresh[i]
    }
    for (i = 0; i < 64; i += 8) printf "cell %d: %.6f\n", i, old[i]
}')
norms=$(awk 'BEGIN {
    for (i = 1; i <= 100; i++) for (p = 1; p <= 3; p++) sum[p] += i ^ p
    for (p = 1; p <= 3; p++) printf "the %d-norm is %.6f\n", p, sum[p] ^ (1 / p)
    print "the infinity-norm is 100.000000"
}')

for ranks in 0 1 2 3 4 7; do
    n=$((ranks ? ranks : 1))
    on $ranks growing
    ends 0
    prints "$n squares:$(awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) printf " %d", i * i }')"
    on $ranks average
    ends 0
    prints "$(awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) print "rank " i ": the average of 100 to 120 is 110" }')"
    on $ranks norm
    ends 0
    prints "$norms"
    on $ranks halo
    ends 0
    prints "$heat"
    on $ranks rows
    ends 0
    prints "$(awk -v n=$n 'BEGIN {
        for (i = 0; i < n; i++) {
            row = int(i / 3); first = row * 3; columns = n - first < 3 ? n - first : 3; column = i - first
            print "rank " i " is " column " of " columns " in row " row "; left of it is rank " first + (column + columns - 1) % columns \
                ", and the row'"'"'s sum " columns * first + columns * (columns - 1) / 2
        }
    }')"
    on $ranks pi
    ends 0
    lines out 1 "^pi is about 3\.14[01][0-9], by 10000000 points$"
    pi=${pi:-$(cat "$scratch/out")}
    prints "$pi" # the same on any number of ranks
    on $ranks requests
    ends 0
    prints "$(awk -v n=$n 'BEGIN {
        for (r = 0; r < n; r++) for (q = 0; q < 3; q++) { print "rank " r " answers " 10 * r + q; sum += 10 * r + q }
        for (r = 0; r < n; r++) print "what came to rank " r " makes " sum
    }')"
    on $ranks actor
    ends 0
    prints "$(awk -v n=$n 'BEGIN {
        for (r = 0; r < n; r++) sum += 3 * 100 * r + 1 + 2 + 3
        for (r = 0; r < n; r++) print "rank " r ": the actor got " 3 * n " numbers, together " sum ", and " 3 * n " words of " 17 * n " letters"
    }')"
    on $ranks counters
    ends 0
    prints "$(awk -v n=$n 'BEGIN {
        for (r = 0; r < n; r++) for (t = 0; t < 4; t++) print "rank " r ", thread " t ": " 1000 * (t + 1), 2000 * (t + 1), 3000 * (t + 1)
        for (r = 0; r < n; r++) print "rank " r " counted to " 3000 * (1 + 2 + 3 + 4)
    }')"
done
for ranks in 0 1 2 4 6; do
    on $ranks spawn
    if [ "$ranks" -le 1 ] && [[ $mpirun != *--oversubscribe* ]]; then # MPICH over UCX starts no processes before 4.3
        ends 2
        prints ""
        lines err 1 "^spawn: this MPI can't start processes; start them with mpirun -n 6$"
        continue
    fi
    ends 0
    prints "$(awk -v children=$((ranks > 1 ? ranks - 1 : 5)) 'BEGIN {
        split("starting work,working,done", lines, ",")
        for (i = 1; i <= 3; i++) for (child = 1; child <= children; child++) print "child " child ": " lines[i]
    }')"
done
on 70 halo # more ranks than cells
ends 0
prints "$heat"

for source in "$sources"/*.c; do
    command=$source
    [ "$(wc -l <"$source")" -lt 60 ]
    verdict $? "is longer than 59 lines"
    [ -x "$programs/$(basename "$source" .c)" ]
    verdict $? "is not built"
done
finish
