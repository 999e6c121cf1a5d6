/* The first program: every rank gives two numbers to rank 0, and rank 0 says hello to rank 1. */
#include <cpar.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    int rank = cpar_rank(), size = cpar_size();

    int squares[2] = { rank, rank * rank };
    cpar_message *all = cpar_gather(cpar_array(squares, 2), 0);
    const int *v = cpar_as(all, int); /* NULL but on rank 0 */
    for (size_t i = 0; i < cpar_count(all); i += 2) printf("the square of %d is %d\n", v[i], v[i + 1]);
    fflush(stdout);
    cpar_free(all);

    if (rank == 0) {
        cpar_send("hello", 1 % size);
        cpar_send(3.14, 1 % size, .tag = 7);
    }
    if (rank == 1 % size) {
        double x;
        cpar_receive_into(&x, 0, .tag = 7); /* typed by &x, checked */
        cpar_message *m = cpar_receive(0);  /* type, length, source: all in m */
        printf("rank %d received \"%s\" and %g from rank %d\n", rank, cpar_text(m), x, cpar_source(m));
        cpar_free(m);
    }
    return cpar_finalize();
}
