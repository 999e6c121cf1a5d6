#!/usr/bin/env bash
# Builds cpar and passes its tests, installing what is missing:
#   build-tests      as users build it: gcc, Open MPI, a shared library; also under valgrind's memcheck, what must not compile,
#                    projects that use cpar, the fuzzer of the wire, the reference; and on several hosts, made of namespaces
#   build-sanitized  a static library, AddressSanitizer and UndefinedBehaviorSanitizer
#   build-threads    ThreadSanitizer, the tests of threads alone
#   build-mpich      clang and MPICH
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/setup.sh

need_to_build
need check clang mpich libmpich-dev valgrind doxygen libpng-dev
# What makes hosts out of this machine. On one with systemd these would become services of its own: there they are for its
# owner to install.
if [ "$(id -u)" = 0 ] && [ ! -d /run/systemd/system ]; then
    need iproute2 procps openssh-server openssh-client nftables munge slurmctld slurmd slurm-client
fi
need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" # libFuzzer

build build-tests -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=ON -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
build build-sanitized -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCPAR_SANITIZE=address,undefined
build build-threads -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCPAR_SANITIZE=thread
build build-mpich -DCPAR_TESTS=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_C_COMPILER=clang \
    -DMPI_C_COMPILER=mpicc.mpich -DMPIEXEC_EXECUTABLE="$(command -v mpirun.mpich)"

# Tests wait much, for messages and for mpirun: twice as many ranks as processors keep these busy.
jobs=$((2 * $(nproc)))
show ctest --test-dir build-tests --output-on-failure -j $jobs
show ctest --test-dir build-sanitized --output-on-failure -j $jobs --label-exclude compile
show ctest --test-dir build-threads --output-on-failure -j $jobs --tests-regex threads
show ctest --test-dir build-mpich --output-on-failure -j $jobs --label-exclude compile
