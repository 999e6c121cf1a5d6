/* The ranks stand in rows of three. Each row is a group, with numbers, messages and collectives of its own. */
#include <cpar.h>

enum { COLUMNS = 3 };

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), number = rank / COLUMNS;
    cpar_group *row = cpar_split(number, rank);
    const int column = cpar_rank(.group = row), columns = cpar_size(.group = row);

    /* Each tells its right neighbour in the row its rank among all; the last one tells the first. */
    cpar_message *m = cpar_exchange(rank, (column + 1) % columns, (column + columns - 1) % columns, .group = row);
    int sum;
    cpar_allreduce(rank, &sum, CPAR_SUM, .group = row);
    cpar_print("rank %d is %d of %d in row %d; left of it is rank %d, and the row's sum %d", rank, column, columns, number,
        cpar_value(m, int), sum);
    cpar_free(m);
    cpar_group_free(row);
    cpar_finalize();
}
