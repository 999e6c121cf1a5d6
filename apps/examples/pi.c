/* Pi by random points in a square: as many of them are within the circle as its area tells. The points come from seeds,
   which are dealt out, so the result is the same on any number of ranks. */
#include <cpar.h>
#include <stdint.h>
#include <stdio.h>

enum { SEEDS = 200, POINTS = 50000 };

/* A number from 0 to 1 (Marsaglia, Xorshift RNGs, 2003). */
static double draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

static long points_within(uint64_t seed)
{
    long within = 0;
    for (int i = 0; i < POINTS; i++) {
        const double x = draw(&seed), y = draw(&seed);
        within += x * x + y * y < 1;
    }
    return within;
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);

    uint64_t seeds[SEEDS];
    for (int i = 0; i < SEEDS; i++) seeds[i] = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(i + 1);
    cpar_message *mine = cpar_scatter(cpar_array(seeds, SEEDS), 0);

    long within = 0;
    for (size_t i = 0; i < cpar_count(mine); i++) within += points_within(cpar_as(mine, uint64_t)[i]);
    cpar_free(mine);

    cpar_reduce(within, &within, CPAR_SUM, 0);
    if (cpar_rank() == 0) printf("pi is about %.4f, by %d points\n", 4.0 * (double)within / ((double)SEEDS * POINTS), SEEDS * POINTS);
    cpar_finalize();
}
