/* A map of naps, which take no core: how evenly they come to the ranks, all of which nap as fast. Prints the least and the most that a
   rank has done, of 60 for each. cluster/hosts.sh runs it across hosts. */
#include <cpar.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int nap(double ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = (long)(ms * 1e6) }, NULL);
    return cpar_rank();
}
CPAR_TASK(nap, double, int);

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int size = cpar_size();
    const size_t n = (size_t)size * 60;
    double *jobs = malloc(n * sizeof *jobs);
    int *ranks = malloc(n * sizeof *ranks), *done = calloc((size_t)size, sizeof *done), least = (int)n, most = 0;
    if (!jobs || !ranks || !done) cpar_abort(1);
    for (size_t i = 0; i < n; i++) jobs[i] = (double)(1 + i % 7); /* 1 to 7 ms */
    cpar_map(nap, jobs, n, ranks);
    if (cpar_rank() == 0) {
        for (size_t i = 0; i < n; i++) done[ranks[i]]++;
        for (int r = 0; r < size; r++) {
            if (done[r] < least) least = done[r];
            if (done[r] > most) most = done[r];
        }
        printf("each rank did from %d to %d\n", least, most);
    }
    free(jobs);
    free(ranks);
    free(done);
    cpar_finalize();
}
