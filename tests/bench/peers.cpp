// Times what bench.c times, with Boost.MPI, on 2 ranks: vectors of which the receiver does not know the length, and arrays of
// which it does. Writes bench.c's lines.
//
//   peers <samples> <case>:<bytes> ...
#include <boost/mpi.hpp>
#include <boost/mpi/collectives/all_gatherv.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

namespace mpi = boost::mpi;
using memory = std::vector<char>;

enum way { VECTOR, ARRAY, WAYS };
const char *const way_names[WAYS] = { "boost_vector", "boost_array" };

memory out, in;
int bytes; // of out

void receive(const mpi::communicator &world, way w, int from)
{
    if (w == VECTOR) {
        memory message;
        world.recv(from, 0, message);
    } else
        world.recv(from, 0, in.data(), bytes);
}

void send(const mpi::communicator &world, way w, int to)
{
    if (w == VECTOR)
        world.send(to, 0, out);
    else
        world.send(to, 0, out.data(), bytes);
}

void pingpong(const mpi::communicator &world, way w, int n)
{
    for (int i = 0; i < n; i++) {
        if (world.rank() == 0) {
            send(world, w, 1);
            receive(world, w, 1);
        } else {
            receive(world, w, 0);
            send(world, w, 0);
        }
    }
}

void stream(const mpi::communicator &world, way w, int n)
{
    if (world.rank() == 0) {
        for (int i = 0; i < n; i++) send(world, w, 1);
        receive(world, w, 1);
    } else {
        for (int i = 0; i < n; i++) receive(world, w, 0);
        send(world, w, 0);
    }
}

// all_gather of a vector into vectors is one call for this, but packs all of it, and takes up to 25 times as long.
void allgather(const mpi::communicator &world, way w, int n)
{
    for (int i = 0; i < n; i++) {
        if (w == VECTOR) {
            std::vector<int> lengths;
            memory message;
            mpi::all_gather(world, bytes, lengths);
            mpi::all_gatherv(world, out, message, lengths);
        } else
            mpi::all_gather(world, out.data(), bytes, in.data());
    }
}

struct {
    const char *name;
    void (*run)(const mpi::communicator &world, way w, int n);
    int parts; // by which to divide the time
} const cases[] = { { "pingpong", pingpong, 2 }, { "stream", stream, 1 }, { "allgather", allgather, 1 } };

// Microseconds for n runs, as bench.c's.
template <class Case> double sample(const mpi::communicator &world, const Case &c, way w, int n)
{
    c.run(world, w, 1);
    world.barrier();
    const double start = MPI_Wtime();
    c.run(world, w, n);
    return mpi::all_reduce(world, MPI_Wtime() - start, mpi::maximum<double>()) * 1e6;
}

template <class Case> void measure(const mpi::communicator &world, const Case &c, int samples)
{
    int n[WAYS];
    for (int w = 0; w < WAYS; w++)
        for (n[w] = 1; sample(world, c, way(w), n[w]) < 2000;) n[w] *= 2;
    for (int i = 0; i < samples; i++)
        for (int k = 0; k < WAYS; k++) {
            const way w = way((k + i) % WAYS);
            const double us = sample(world, c, w, n[w]) / n[w] / c.parts;
            if (world.rank() == 0) std::printf("%s\t%d\t%s\t%.4f\n", c.name, bytes, way_names[w], us);
        }
}

} // namespace

int main(int argc, char **argv)
{
    mpi::environment environment(argc, argv);
    const mpi::communicator world;
    if (world.size() != 2) {
        std::fputs("peers: needs 2 ranks\n", stderr);
        return 1;
    }
    out.reserve(std::size_t(64) << 20); // the same pages at all lengths, as in bench.c
    in.reserve(std::size_t(64) << 20);
    for (int a = 2; a < argc; a++)
        for (const auto &c : cases) {
            const std::size_t name = std::strlen(c.name);
            if (std::strncmp(argv[a], c.name, name) || argv[a][name] != ':') continue;
            bytes = std::atoi(argv[a] + name + 1);
            out.resize(std::size_t(bytes));
            in.resize(std::size_t(bytes) * 2);
            measure(world, c, std::atoi(argv[1]));
        }
}
