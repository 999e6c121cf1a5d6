#include <cpar.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), size = cpar_size();
    double x = 0;
    cpar_send(2.5 + rank, (rank + 1) % size);
    cpar_receive_into(&x, (rank + size - 1) % size);
    cpar_message *all = cpar_gather(x, 0);
    for (size_t i = 0; i < cpar_count(all); i++) printf("%g\n", cpar_as(all, double)[i]);
    cpar_free(all);
    return cpar_finalize();
}
