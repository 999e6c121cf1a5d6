/* Heat spreads along a rod that is cut into pieces, one for each rank. In every step a rank needs the cells beside its
   piece, the halo, from its neighbours; while they are on their way it computes the cells that do not need them. */
#include <cpar.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 64, STEPS = 500 };

static double spread(const double *cell)
{
    return cell[0] + 0.25 * (cell[-1] - 2 * cell[0] + cell[1]);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), size = cpar_size();
    const cpar_range mine = cpar_balance(CELLS, size, rank);
    const size_t n = mine.hi - mine.lo;
    const bool left = n && rank > 0, right = n && mine.hi < CELLS; /* whether there are neighbours */
    double old[CELLS + 2] = { 0 }, new[CELLS + 2] = { 0 };         /* cell i of the piece is at i + 1, the ends are cold */

    if (mine.lo <= CELLS / 2 && CELLS / 2 < mine.hi) old[CELLS / 2 - mine.lo + 1] = 1000;
    for (int step = 0; step < STEPS; step++) {
        cpar_request *halo[2] = { NULL, NULL }, *sent[2] = { NULL, NULL };
        if (left) halo[0] = cpar_ireceive(rank - 1), sent[0] = cpar_isend(old[1], rank - 1);
        if (right) halo[1] = cpar_ireceive(rank + 1), sent[1] = cpar_isend(old[n], rank + 1);

        for (size_t i = 2; i < n; i++) new[i] = spread(&old[i]);

        size_t which;
        for (cpar_message *m; (m = cpar_wait_any(halo, 2, &which)); cpar_free(m)) old[which ? n + 1 : 0] = cpar_value(m, double);
        if (n) new[1] = spread(&old[1]);
        if (n) new[n] = spread(&old[n]);
        cpar_wait_all(sent, 2);
        memcpy(old, new, sizeof old);
    }

    cpar_message *all = cpar_gather(cpar_array(&old[1], n), 0);
    const double *rod = cpar_as(all, double);
    for (size_t i = 0; i < cpar_count(all); i += 8) printf("cell %zu: %.6f\n", i, rod[i]);
    cpar_free(all);
    cpar_finalize();
}
