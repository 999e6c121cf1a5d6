/* concurrent.futures: executor.submit(count_primes, n) for each n, then for f in as_completed(futures). One task fails, and is reported
   while the others go on; one is cancelled; and what a result leads to is submitted as it arrives. */
#include <cpar.h>
#include <stdio.h>
#include <stdlib.h>

static int count_primes(int below)
{
    int count = 0;
    if (below < 0) cpar_task_fail("there is nothing below");
    for (int n = 2; n < below; n++) {
        int divisor = 2;
        while (divisor * divisor <= n && n % divisor) divisor++;
        count += divisor * divisor > n;
    }
    return count;
}
CPAR_TASK(count_primes, int, int);

static int by_number(const void *a, const void *b)
{
    return atoi(a) - atoi(b);
}

int main(int argc, char **argv)
{
    int jobs[20] = { 60000, 50000, 40000, 30000, -1, 20000, 10000, 70000 }, given = 0, n = 0;
    char lines[20][50];
    cpar_init(&argc, &argv);
    cpar_pool *pool = cpar_pool_open(); /* the other ranks run tasks here until it is closed, and get NULL */
    if (pool) {
        cpar_future *last = NULL;
        for (; jobs[given]; given++) last = cpar_submit(pool, count_primes, jobs[given]);
        cpar_cancel(last); /* if a rank has begun it already, it runs on, but nobody waits for it */
        cpar_future_free(last);
        for (cpar_future *f; (f = cpar_as_completed(pool)); cpar_future_free(f)) {
            const int job = jobs[cpar_index(f)], count = cpar_why(f) ? 0 : cpar_result(f, int);
            if (cpar_why(f)) snprintf(lines[n++], sizeof *lines, "%d: %s", job, cpar_why(f));
            else snprintf(lines[n++], sizeof *lines, "%d: %d primes", job, count);
            if (count > 2000) cpar_submit(pool, count_primes, jobs[given++] = count);
        }
        qsort(lines, (size_t)n, sizeof *lines, by_number); /* they came in any order */
        for (int i = 0; i < n; i++) puts(lines[i]);
    }
    cpar_pool_close(pool);
    cpar_finalize();
}
