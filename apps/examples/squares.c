/* multiprocessing's Pool().map(square, range(10)), and Pool().map(fib, numbers), each of whose results are printed as a list.
   All ranks compute; rank 0 has the numbers, and gets the results, in their order. */
#include <cpar.h>
#include <stdio.h>

static long square(int x)
{
    return (long)x * x;
}

static long fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

CPAR_TASK(square, int, long);
CPAR_TASK(fib, int, long);

static void print(const long *list, size_t n)
{
    for (size_t i = 0; i < n; i++) printf("%s%ld", i ? ", " : "[", list[i]);
    puts("]");
}

int main(int argc, char **argv)
{
    enum { RANGE = 10, NUMBERS = 6 };
    int range[RANGE], numbers[NUMBERS] = { 30, 29, 20, 1, 25, 0 };
    long squares[RANGE], fibs[NUMBERS];
    cpar_init(&argc, &argv);

    for (int i = 0; i < RANGE; i++) range[i] = i;
    cpar_map(square, range, RANGE, squares);
    cpar_map(fib, numbers, NUMBERS, fibs);

    if (cpar_rank() == 0) print(squares, RANGE);
    if (cpar_rank() == 0) print(fibs, NUMBERS);
    cpar_finalize();
}
