/* The average of numbers that are dealt out to all ranks, known to all of them. */
#include <cpar.h>
#include <stddef.h>

enum { FIRST = 100, LAST = 120, COUNT = LAST - FIRST + 1 };

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);

    double numbers[COUNT];
    for (int i = 0; i < COUNT; i++) numbers[i] = FIRST + i; /* rank 0's matter */
    cpar_message *mine = cpar_scatter(cpar_array(numbers, COUNT), 0);

    double sum = 0;
    for (size_t i = 0; i < cpar_count(mine); i++) sum += cpar_as(mine, double)[i];
    cpar_free(mine);

    cpar_allreduce(sum, &sum, CPAR_SUM);
    cpar_print("rank %d: the average of %d to %d is %g", cpar_rank(), FIRST, LAST, sum / COUNT);
    cpar_finalize();
}
