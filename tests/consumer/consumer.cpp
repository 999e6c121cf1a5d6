// The same as consumer.c: C++ calls the functions behind the macros.
#include <cpar.h>
#include <cstdio>

int main(int argc, char **argv)
{
    cpar_start start{};
    start.argv = &argv;
    cpar_init_at(&argc, &start);
    cpar_collective world{};
    const int rank = cpar_rank_at(&world), size = cpar_size_at(&world);

    double sent = 2.5 + rank, x = 0;
    cpar_view value{};
    value.data = &sent;
    value.count = 1;
    value.type = { CPAR_FLOAT, sizeof sent };
    cpar_p2p to{}, from{};
    to.rank = (rank + 1) % size;
    from.rank = (rank + size - 1) % size;
    cpar_send_at(value, &to);
    value.data = &x;
    cpar_receive_into_at(value, &from);

    cpar_message *all = cpar_gather_at(value, &world);
    const double *v = static_cast<const double *>(cpar_as_at(all, value.type, world.at));
    for (size_t i = 0; i < cpar_count(all); i++) std::printf("%g\n", v[i]);
    cpar_free(all);
    return cpar_finalize_at(world.at);
}
