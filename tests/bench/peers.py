#!/usr/bin/python3
"""Times what bench.c times, with mpi4py, on 2 ranks: whole objects, which it pickles, and buffers. Writes bench.c's lines.

peers.py <samples> <case>:<bytes> ...
"""
import os
import sys

import mpi4py

mpi4py.rc.threads = False  # as bench.c
from mpi4py import MPI
from mpi4py.util import pkl5

os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")  # of 4 MiB and more; memory like that of all others, without huge pages
import numpy

world = MPI.COMM_WORLD
rank = world.rank


class Way:
    """One of mpi4py's ways, whose calls take the same arguments. `into`: memory to receive into; None: the call makes it."""

    def __init__(self, send, receive, allgather, out, into=None, gathered=()):
        self.send, self.receive, self.allgather = send, receive, allgather
        self.out, self.into, self.gathered = out, into, gathered


def ways(size):
    """Bytes are what mpi4py pickles fastest; protocol 5 leaves long arrays, but not bytes, where they are. Buffers whose type is
    told are faster than others. Ones, since memory of zeros that nobody wrote to is a single page, which stays in the cache."""
    array = numpy.ones(size, numpy.byte)
    out, into, gathered = ([memory, MPI.BYTE] for memory in (array, array.copy(), numpy.ones(2 * size, numpy.byte)))
    protocol5 = pkl5.Intracomm(world)
    return {
        "mpi4py_pickle": Way(world.send, world.recv, world.allgather, b"1" * size),
        "mpi4py_pkl5": Way(protocol5.send, protocol5.recv, protocol5.allgather, array),
        "mpi4py_buffer": Way(world.Send, world.Recv, world.Allgather, out, into, (gathered,)),
    }


def pingpong(way, n):
    send, receive, out, into = way.send, way.receive, way.out, way.into
    if rank == 0:
        for _ in range(n):
            send(out, 1)
            receive(into, 1)
    else:
        for _ in range(n):
            receive(into, 0)
            send(out, 0)


def stream(way, n):
    send, receive, out, into = way.send, way.receive, way.out, way.into
    if rank == 0:
        for _ in range(n):
            send(out, 1)
        receive(into, 1)
    else:
        for _ in range(n):
            receive(into, 0)
        send(out, 0)


def allgather(way, n):
    gather, out, gathered = way.allgather, way.out, way.gathered
    for _ in range(n):
        gather(out, *gathered)


CASES = {"pingpong": (pingpong, 2), "stream": (stream, 1), "allgather": (allgather, 1)}  # and by what to divide the time


def sample(run, way, n):
    """Microseconds for n runs, as bench.c's."""
    run(way, 1)
    world.Barrier()
    start = MPI.Wtime()
    run(way, n)
    return world.allreduce(MPI.Wtime() - start, MPI.MAX) * 1e6


def measure(case, size, samples):
    run, parts = CASES[case]
    plan = [(name, way, calibrate(run, way)) for name, way in ways(size).items()]
    for i in range(samples):
        for k in range(len(plan)):
            name, way, n = plan[(k + i) % len(plan)]
            us = sample(run, way, n) / n / parts
            if rank == 0:
                print(case, size, name, f"{us:.4f}", sep="\t")


def calibrate(run, way):
    """How many runs make samples of 2 ms at the least."""
    n = 1
    while sample(run, way, n) < 2000:
        n *= 2
    return n


if world.size != 2:
    sys.exit("peers.py: needs 2 ranks, and mpi4py made for this mpirun's MPI")
for argument in sys.argv[2:]:
    name, size = argument.split(":")
    measure(name, int(size), int(sys.argv[1]))
