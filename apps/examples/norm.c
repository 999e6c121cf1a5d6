/* The p-norms of a vector that is spread over the ranks: for each p a sum over all of them; for infinity the greatest. */
#include <cpar.h>
#include <math.h>
#include <stdio.h>

enum { LENGTH = 100 };

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const cpar_range mine = cpar_balance(LENGTH, cpar_size(), cpar_rank());
    const double powers[] = { 1, 2, 3 };
    double sums[] = { 0, 0, 0 }, greatest = 0;

    for (size_t i = mine.lo; i < mine.hi; i++) {
        const double x = (i % 2 ? -1 : 1) * (double)(i + 1); /* 1, -2, 3, -4, ... */
        for (int k = 0; k < 3; k++) sums[k] += pow(fabs(x), powers[k]);
        greatest = fmax(greatest, fabs(x));
    }
    cpar_reduce(cpar_array(sums, 3), cpar_array(sums, 3), CPAR_SUM, 0);
    cpar_reduce(greatest, &greatest, CPAR_MAX, 0);

    if (cpar_rank() == 0) {
        for (int k = 0; k < 3; k++) printf("the %g-norm is %.6f\n", powers[k], pow(sums[k], 1 / powers[k]));
        printf("the infinity-norm is %.6f\n", greatest);
    }
    cpar_finalize();
}
