/* An array goes round the ring of ranks, and each makes it longer. Nobody knows its length but from the message. */
#include <cpar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The array of a message, with one more number behind it, to the next rank. */
static void append_and_send(const cpar_message *m, int number, int destination)
{
    const size_t n = cpar_count(m);
    int *longer = malloc((n + 1) * sizeof *longer);
    if (!longer) cpar_abort(1);
    if (n) memcpy(longer, cpar_as(m, int), n * sizeof *longer);
    longer[n] = number;
    cpar_send(cpar_array(longer, n + 1), destination);
    free(longer);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), size = cpar_size(), next = (rank + 1) % size, previous = (rank + size - 1) % size;

    if (rank == 0) append_and_send(NULL, 0, next);
    cpar_message *m = cpar_receive(previous);
    if (rank > 0)
        append_and_send(m, rank * rank, next);
    else {
        const int *numbers = cpar_as(m, int);
        printf("%zu squares:", cpar_count(m));
        for (size_t i = 0; i < cpar_count(m); i++) printf(" %d", numbers[i]);
        puts("");
    }
    cpar_free(m);
    cpar_finalize();
}
