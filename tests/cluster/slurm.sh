#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154,SC2207
# The apps under Slurm: by srun, by mpirun in an allocation, and by the batch script that users copy.
set -u
tools="munged slurmctld slurmd sbatch srun"
. "$(dirname "$0")/with_bed.sh"

if ! bed slurm >"$scratch/out" 2>"$scratch/err"; then
    tail -n 5 "$CPAR_BED"/slurm/*.log >>"$scratch/err"
    command="bed.sh slurm"
    verdict 1 "Slurm does not start"
    finish_with_bed
fi

ring=$(ring_prints node1 node1 node2 node2 node3 node3 node4 node4)

login srun -n 8 "$build/apps/ring"
ends 0
prints "$ring"
login salloc -n 8 mpirun "$build/apps/fib"
ends 0
prints "[39088169, 24157817, 14930352, 9227465, 5702887, 3524578]"
for suite in p2p parts reduce; do
    login srun -n 4 --distribution=cyclic "$build/tests/test_$suite"
    ends 0
    lines out 1 "^$suite: [0-9]+ tests on each of 4 ranks, 0 failures$"
done

# The script looks for build/apps/ring where it is submitted.
mkdir -p "$CPAR_BED/work"
ln -s "$build" "$CPAR_BED/work/build"
for launch in "" mpirun; do
    login sbatch --wait --chdir="$CPAR_BED/work" --nodes=4 --output=out --export="ALL${launch:+,LAUNCH=$launch}" "$source/apps/examples/job.sbatch"
    ends 0
    cp "$CPAR_BED/work/out" "$scratch/out"
    prints "$ring"
done

# A killed rank ends the step, and the job.
begin_ring "srun of 8 ranks, of which one is killed" srun -n 8 stdbuf -oL "$build/apps/ring" --laps 100000000
bed exec node3 pkill -KILL -o ring
ends_within 25
fails
some err "node3: tasks? [0-9-]+: Killed"
nothing_left 10 node1 node2 node3 node4

finish_with_bed
