/* threading.Thread(target=count).start() and join(), with a Lock: the threads of a rank count by one counter, which a mutex
   guards, and each puts() its own progress to rank 0, under its own tag. */
#include <cpar.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, STEPS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter; /* of all threads of this rank */

/* A thread, given its number: counts in steps, and after each tells how far it is. */
static void *count(void *number)
{
    const int thread = *(const int *)number;
    long mine = 0;
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < 1000 * (thread + 1); i++) {
            pthread_mutex_lock(&lock);
            counter++;
            pthread_mutex_unlock(&lock);
            mine++;
        }
        cpar_send(mine, 0, .tag = thread);
    }
    return NULL;
}

/* Prints what all threads of all ranks tell: in this order, in whatever order it comes. */
static void print_progress(void)
{
    for (int i = 0; i < cpar_size() * THREADS; i++) {
        printf("rank %d, thread %d:", i / THREADS, i % THREADS);
        for (int step = 0; step < STEPS; step++) {
            long progress;
            cpar_receive_into(&progress, i / THREADS, .tag = i % THREADS);
            printf(" %ld", progress);
        }
        puts("");
    }
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv, .threads = true);
    pthread_t threads[THREADS];
    int numbers[THREADS] = { 0, 1, 2, 3 };
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, count, &numbers[i]) != 0) cpar_abort(1);
    if (cpar_rank() == 0) print_progress(); /* while they count */
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);

    cpar_print("rank %d counted to %ld", cpar_rank(), counter);
    cpar_finalize();
}
