#!/usr/bin/env bash
# What errors print, and how the job ends.
set -u
. "$(dirname "$0")/expect.sh"

head="^cpar: rank [0-9]+ of [0-9]+ on $host, misuse.c:[0-9]+,"

on 2 misuse wrong_type
ends 1
lines err 1 "^cpar: rank 1 of 2 on $host, misuse.c:[0-9]+, receive from 0, tag 0: the message holds 4 double, asked for 1 int$"
on 0 misuse wrong_type
ends 1
lines err 1 "^cpar: rank 0 of 1 on $host, misuse.c:[0-9]+, receive from 0, tag 0: the message holds 4 double, asked for 1 int$"
on 3 misuse too_long
ends 1
lines err 1 "^cpar: rank 1 of 3 on $host, misuse.c:[0-9]+, receive from 0, tag 12: the message holds 5 int, asked for up to 2 int$"
on 2 misuse wrong_value
ends 1
lines err 1 "$head value: the message holds 5 char, asked for double$"

for ranks in 1 2 4; do
    on $ranks misuse unreceived
    ends 1
    lines err 1 "$head finalize: nobody received 1 double from rank 0, tag 7$"
done
on 2 misuse open_request
ends 1
lines err 1 "$head finalize: a request was opened and never waited for: misuse.c:[0-9]+, ireceive from 1, tag 3$"
for ranks in 1 2 3; do
    for piece in 1073741824 10000; do
        export CPAR_PIECE=$piece
        on $ranks misuse open_request_returning
        ends 0
        lines out $ranks "^finalize gave 7: not possible now$"
    done
done
unset CPAR_PIECE
export CPAR_SEQUENCES=1
on 2 misuse no_sequences_left
ends 0
lines out 1 "^rank 0: 1 7 7$"
lines out 1 "^rank 1: 1 7 7$"
unset CPAR_SEQUENCES

on 3 misuse abort_job
ends 44
on 0 misuse abort_zero
ends 1
prints "printed before the end"
on 3 misuse bad_scatter
ends 1
lines err 1 "$head scatter, root 0: .*the counts up to rank 0 sum to more than the 3 elements there are$"
on 2 misuse collectives_differ
ends 1
lines err 1 "$head barrier: rank 1 called gather, root 0 instead$"
for ranks in 3 4 6; do
    on $ranks misuse one_skips_gather
    ends 1
    some err "^cpar: rank [0-5] of $ranks .* instead"
done
on 2 misuse split_or_gather
ends 1
lines err 1 "$head split: rank 1 called gather, root 0 instead$"
on 4 misuse barrier_without_one
ends 3
lines out 1 "^rank 1: 0$"
lines out 3 "^rank [023]: 7$"
on 2 misuse use_group_after_end
ends 0
lines out 2 "^7 7 7$"
on 2 misuse roots_differ
ends 1
lines err 1 "rank 1 of 2 .* broadcast, root 0: rank 0 called broadcast, root 0 instead as its collective 1, this one is 2: they have disagreed before$"
on 3 misuse operations_differ
ends 1
lines err 1 "rank 0 of 3 .* reduce by SUM, root 0: rank [12] called reduce by MAX, root 0 instead$"

# Without cpar_finalize: the job ends by itself, with the program's status.
for ranks in 0 1 3; do
    on $ranks misuse leave
    ends 0
    lines err 0 .
    on $ranks misuse leave_with_status
    ends 5
    lines err 0 "cpar|MPI_ABORT|improper"
    on $ranks misuse leave_alone
    ends 7
    lines err 0 "cpar|MPI_ABORT|improper"
    on $ranks misuse leave_unreceived
    ends 6
    lines err 1 "^cpar: rank [0-9] of [0-9] on $host, exit, status 6: nobody received 1 double from rank 0, tag 7$"
    on $ranks misuse leave_in_a_child
    ends 0
    lines out $((ranks ? ranks : 1)) "^the child ended with 9$"
done
on 3 misuse no_memory
ends 0
lines out 1 "^rank 0: 0 0 0, 001, 3 0$"
lines out 1 "^rank 1: 8 8 8, 000, 3 42$"
lines out 1 "^rank 2: 0 0 0, 001, 3 0$"

on 3 misuse leave_others_waiting
ends 8
on 3 misuse leave_others_in_broadcast
ends 9
lines err 1 "rank [12] of 3 on $host, misuse.c:[0-9]+, broadcast, root 0: rank 0 called exit, status 9 instead$"
on 4 misuse group_error
ends 1
lines err 1 "rank 1 of 2 \(3 of 4 in all\) on $host, misuse.c:[0-9]+, receive from 0, tag 0: the message holds 1 int, asked for 1 double"
on 2 misuse second_thread
ends 0
lines out 2 "^from another thread 7, from this one 0, with threads after all 7$"

on 3 misuse print
ends 0
lines out 3 "^has two lines$"
lines out 1 "^only the last$"
awk 'length($0) == 70000 { long++; next } { print } END { print long " lines of 70000" }' "$scratch/out" >"$scratch/short"
mv "$scratch/short" "$scratch/out"
prints "rank 0
has two lines
rank 1
has two lines
rank 2
has two lines
only the last
3 lines of 70000"
on 2 misuse print_to_full
ends 1
lines err 1 "$head print: standard output: No space left on device$"

on 0 misuse handler
ends 0
prints "returned 3"
lines err 1 "^handled 3: cpar: rank 0 of 1 on $host, misuse.c:[0-9]+, send to 1000, tag 0: the destination is 1000, accepted are 0 to 0$"
on 2 misuse finalize_twice
ends 0
lines out 2 "^0 0 0$"
on 0 misuse init_after_end
ends 1
lines err 1 "^cpar: misuse.c:[0-9]+, init: MPI has ended, and can't start again in this process$"
on 0 misuse use_after_end
ends 1
lines err 1 "^cpar: misuse.c:[0-9]+, send to 0, tag 0: cpar is not running: cpar_init comes first, cpar_finalize last$"
on 0 misuse no_init
ends 1
lines err 1 "^cpar: misuse.c:[0-9]+, send to 0, tag 0: cpar is not running"
on 0 misuse no_init_returning
ends 0
prints "7 -1 0"
on 0 misuse abort_without_init
ends 7

for ranks in 0 1 3; do
    on $ranks misuse attach
    ends 0
    lines out $((ranks ? ranks : 1)) "^MPI still runs: 1, $((ranks ? ranks : 1)) ranks$"
done
on 2 misuse attach_threads
ends 1
some err "init: .*MPI_THREAD_MULTIPLE"
on 2 misuse threads
ends 0
lines out 2 "^multiple 1$"

# Maps: the line of what is wrong with one, and of a job that failed.
on 0 misuse failing_task
ends 1
lines err 1 "^cpar: rank 0 of 1 on $host, misuse.c:[0-9]+, map, root 0: whole_root of job 2 of 5 failed: 10 is no square; others too$"
for ranks in 1 2 3; do
    on $ranks misuse failing_task
    ends 1
    lines err 1 "^cpar: rank $((ranks - 1)) of $ranks on $host, misuse.c:[0-9]+, map, root $((ranks - 1)): whole_root of job 2 of 5 failed: 10 is no square; others too$"
    on $ranks misuse failing_tasks_told
    ends 0
    prints "code 0, 2 3 0 4 0
job 2: 10 is no square
job 4: 17 is no square"
    lines err 0 "cpar"
    on $ranks misuse map_of_no_jobs
    ends 1
    lines err 1 "^cpar: rank 0 of $ranks on $host, misuse.c:[0-9]+, map, root 0: the 3 jobs are at NULL$"
    on $ranks misuse map_of_null_string
    ends 1
    lines err 1 "^cpar: rank 0 of $ranks on $host, misuse.c:[0-9]+, map, root 0: a job is NULL$"
done
on 3 misuse tasks_differ
ends 1
lines err 1 "^cpar: rank 1 of 3 on $host, misuse.c:[0-9]+, map, root 0: here the task is wait_2_s, at the root it is another, or of other types$"
lines err 1 "^cpar"
on 3 misuse map_into_null
ends 1
lines err 1 "^cpar: rank 1 of 3 on $host, misuse.c:[0-9]+, map, root 0: the 3 results are at NULL$"
lines err 1 "^cpar"
on 0 misuse fail_in_no_task
ends 1
lines err 1 "^cpar: rank 0 of 1 on $host, task_fail: no task is running$"

# Pools: what a future that has no result prints, and one that is asked for another; and a pool that is not closed.
for ranks in 0 1 2 3; do
    n=$((ranks ? ranks : 1))
    on $ranks misuse failed_future
    ends 1
    prints "3, 10 is no square"
    lines err 1 "^cpar: rank $((n - 1)) of $n on $host, misuse.c:[0-9]+, result: whole_root of job 1 failed: 10 is no square$"
    lines err 1 "^cpar"
    on $ranks misuse result_of_another_type
    ends 1
    prints ""
    lines err 1 "^cpar: rank 0 of $n on $host, misuse.c:[0-9]+, result: the result of whole_root is int, asked for double$"
    lines err 1 "^cpar"
done
on 2 misuse result_of_another_form
ends 1
lines err 1 "^cpar: rank 0 of 2 on $host, misuse.c:[0-9]+, result: the result of whole_root is int, asked for string$"
on 2 misuse submit_everywhere
ends 1
lines err 1 "^cpar: rank 1 of 2 on $host, misuse.c:[0-9]+, submit: the pool is NULL$"
on 2 misuse pool_left_open
ends 1
lines err 1 "^cpar: rank [01] of 2 on $host, misuse.c:[0-9]+, (finalize: a pool was opened and never closed: misuse.c:[0-9]+, pool, root 0|pool, root 0: rank 0 called finalize instead .*)$"
lines err 1 "^cpar"
for ranks in 1 2 3; do
    on $ranks misuse leave_pool_open
    ends 5
done

on 2 misuse wait_asleep
ends 0
prints "2 s of waiting cost little of the core"
for share in 1 0; do
    export CPAR_SHARE=$share
    on 3 misuse map_asleep
    ends 0
    lines out 3 "^2 s of waiting cost little of the core$"
done
unset CPAR_SHARE
on 3 misuse pool_asleep
ends 0
lines out 3 "^2 s of waiting cost little of the core$"
export CPAR_PATIENCE=1
on 2 misuse pool_asleep
ends 0
lines out 2 "^2 s of waiting cost little of the core$"
lines err 1 "^cpar: rank 0 of 2 on $host, misuse.c:[0-9]+, pool, root 0: waiting at misuse.c:[0-9]+ for rank 1 for 1 s$"
on 2 misuse wait_long
ends 0
lines err 1 "^cpar: rank 1 of 2 on $host, misuse.c:[0-9]+, receive from any, tag 0: waiting for 1 s$"
lines err 1 "^cpar: rank 1 of 2 on $host, misuse.c:[0-9]+, receive from any, tag 0: waiting for 2 s$"
lines err 2 "waiting"
on 2 misuse wait_for_another_tag
ends 0
lines err 1 "rank 1 of 2 on $host, misuse.c:[0-9]+, receive from 0, tag 5: waiting for 1 s; a message from 0, tag 4 has come, but nobody receives it$"

for bad in "CPAR_PATIENCE=x" "CPAR_PIECE=0" "CPAR_PIECE=9999999999999999999999" "CPAR_INLINE_NEAR=-1" "CPAR_INLINE_FAR=61441" "CPAR_FIRST_NEAR=-2" "CPAR_FIRST_FAR=99999" "CPAR_SEQUENCES=1e3" "CPAR_TUNE=2" "CPAR_SHARE=2" "CPAR_LANES=3"; do
    export CPAR_PATIENCE=1
    export "${bad?}"
    on 0 misuse handler
    ends 1
    lines err 1 "^cpar: rank 0 of 1 on $host, misuse.c:[0-9]+, init: the environment has $bad, accepted are whole numbers from [0-9]+ to [0-9]+$"
    on 3 misuse init_returning
    ends 0
    lines out 3 "^5 0$"
    unset "${bad%%=*}"
done

# What cpar sets of MPI's parameters, which depends on the MPI; nothing that the user has set, or if told so.
export CPAR_VERBOSE=1
on 2 misuse threads
ends 0
some err "^cpar: set ([a-z_]+ to [0-9a-z,]+: |none of MPI's parameters$)"
lines err 1 "^cpar: short messages go through memory that the ranks share$"
export OMPI_MCA_mtl_ofi_provider_include=psm2 OMPI_MCA_btl_vader_eager_limit=4096
on 2 misuse threads
ends 0
lines err 1 "^cpar: set none of MPI's parameters$"
CPAR_LANES=0 on 2 misuse threads
ends 0
lines err 1 "^cpar: short messages go through MPI$"
unset OMPI_MCA_mtl_ofi_provider_include OMPI_MCA_btl_vader_eager_limit
export CPAR_TUNE=0
on 2 misuse threads
ends 0
lines err 1 "^cpar: set none of MPI's parameters$"
unset CPAR_TUNE

finish
