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

lists=$(awk 'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } BEGIN {
    for (i = 0; i < 10; i++) squares = squares (i ? ", " : "") i * i
    count = split("30 29 20 1 25 0", numbers)
    for (i = 1; i <= count; i++) fibs = fibs (i > 1 ? ", " : "") fib(numbers[i])
    print "[" squares "]\n[" fibs "]"
}')
primes=$(awk 'BEGIN {
    for (n = 2; n < 60000; n++) if (!divided[n]) for (m = n * n; m < 60000; m += n) divided[m] = 1
    last = split("60000 50000 40000 30000 20000 10000", jobs)
    for (i = 1; i <= last; i++) {
        count = 0
        for (n = 2; n < jobs[i]; n++) count += !divided[n]
        print jobs[i] ": " count " primes"
        if (count > 2000) jobs[++last] = count
    }
    print "-1: there is nothing below"
}' | sort -n)

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
    on $ranks squares
    ends 0
    prints "$lists"
    on $ranks futures
    ends 0
    prints "$primes"
    on $ranks parallel
    ends 0
    prints "$(awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) print "rank " i ": the first strip'"'"'s area is 0.039999, and all together 3.141593" }')"
    lines err 0 . # there is no terminal
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

# is_png <file> <width> <height>: its first bytes are those of a PNG of this size.
is_png() {
    [ "$(head -c 24 "$1" | od -An -v -tx1 | tr -d ' \n')" = "89504e470d0a1a0a0000000d49484452$(printf %08x%08x "$2" "$3")" ]
    verdict $? "$1 is not a PNG of $2 x $3 pixels"
}

# mandelbrot, where there is libpng: the picture is what one rank makes of it, to the byte.
if [ -x "$programs/mandelbrot" ]; then
    for height in 50 2; do
        for ranks in 0 1 2 3 4; do
            n=$((ranks ? ranks : 1))
            for way in block cyclic dynamic; do
                rm -f "$scratch/picture" "$scratch/who"
                on $ranks mandelbrot --way $way --size 75x$height --most 200 --who "$scratch/who" "$scratch/picture"
                ends 0
                lines out $n "^rank [0-3], (red|blue|green|yellow): [0-9]+ rows, [0-9.]+ s$"
                lines out 1 "^all: $height rows, [0-9.]+ s$"
                [ "$(awk '/^rank/ { sum += $4 } END { print sum }' "$scratch/out")" = $height ]
                verdict $? "the ranks computed more or less than $height rows"
                is_png "$scratch/picture" 75 $height
                is_png "$scratch/who" 75 $height
                cp "$scratch/who" "$scratch/who.$way.$n.$height"
                [ -e "$scratch/alone$height" ] || cp "$scratch/picture" "$scratch/alone$height"
                cmp -s "$scratch/picture" "$scratch/alone$height"
                verdict $? "the picture is not that of one rank"
            done
        done
    done
    [ "$(sha256sum "$scratch"/who.{block,cyclic}.[1-4].50 | cut -c 1-64 | sort -u | wc -l)" = 7 ]
    verdict $? "on 2 ranks and more it does not show the way who computed what"
    for wrong in "--size 900" "--size 0x5" "--size 5x20001" "--size -5x5" "--size 5x5x5" --size "--most 0" "--most x" "--way best" --way --fast "" "a b"; do
        on 3 mandelbrot $wrong
        ends 2
        lines err 1 "^mandelbrot: "
        prints ""
    done
    for ranks in 0 3; do
        on $ranks mandelbrot "$scratch/missing/picture"
        ends 1
        lines err 1 "^mandelbrot: $scratch/missing/picture: No such file or directory$"
        on $ranks mandelbrot --who "$scratch/missing/who" "$scratch/picture"
        ends 1
        lines err 1 "^mandelbrot: $scratch/missing/who: No such file or directory$"
    done
    on 2 mandelbrot --help
    ends 0
    lines out 1 "^usage: mpirun -n RANKS mandelbrot "
fi

for source in "$sources"/*.c; do
    [ "${source##*/}" != mandelbrot.c ] || continue # is longer, and not built without libpng
    command=$source
    [ "$(wc -l <"$source")" -lt 60 ]
    verdict $? "is longer than 59 lines"
    [ -x "$programs/$(basename "$source" .c)" ]
    verdict $? "is not built"
done
finish
