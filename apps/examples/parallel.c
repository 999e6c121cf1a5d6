/* joblib's Parallel(n_jobs=-1, verbose=1)(delayed(area)(lo, hi, steps) for lo, hi in strips): the arguments of each call are a struct.
   At a terminal it shows how far it is, and when it is done every rank has the results. */
#include <cpar.h>

typedef struct {
    double lo, hi;
    int steps;
} strip;

/* Under 4 / (1 + x^2), from lo to hi. */
static double area(strip s)
{
    const double width = (s.hi - s.lo) / s.steps;
    double sum = 0;
    for (int i = 0; i < s.steps; i++) {
        const double x = s.lo + (i + 0.5) * width;
        sum += 4 / (1 + x * x) * width;
    }
    return sum;
}
CPAR_TASK(area, strip, double);

int main(int argc, char **argv)
{
    enum { STRIPS = 100 };
    strip strips[STRIPS]; /* rank 0's matter */
    double areas[STRIPS], sum = 0;
    cpar_init(&argc, &argv);

    for (int i = 0; i < STRIPS; i++) strips[i] = (strip){ i / (double)STRIPS, (i + 1) / (double)STRIPS, 100000 };
    cpar_map(area, strips, STRIPS, areas, .everywhere = true, .progress = true);

    for (int i = 0; i < STRIPS; i++) sum += areas[i];
    cpar_print("rank %d: the first strip's area is %.6f, and all together %.6f", cpar_rank(), areas[0], sum);
    cpar_finalize();
}
