# shellcheck shell=bash
# Read by the scripts, not run: what they share.

# Runs a command after printing it.
show() {
    printf '+ %s\n' "$*"
    "$@"
}

# Installs those of the named Debian packages that are missing, as root or through sudo.
need() {
    local package missing=() as_root=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null; then
        echo "$0: these packages of Debian are missing, and there is no apt-get to install them: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "$0: these packages are missing; run this as root, or install them or sudo: ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    show "${as_root[@]}" apt-get update -q
    # In runlevel 1 no package starts a service.
    show "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# What it takes to build cpar and run its apps.
need_to_build() {
    need gcc g++ libc6-dev make cmake pkg-config openmpi-bin libopenmpi-dev
}

# Prints a command and runs it; its output goes to a log, and is shown when it fails.
quietly() {
    local log=$1
    shift
    printf '+ %s\n' "$*"
    "$@" >"$log" 2>&1 && return
    cat "$log" >&2
    return 1
}

# Configures a build folder with Open MPI, whatever other MPI is installed, and builds it.
build() {
    local folder=$1
    shift
    mkdir -p "$folder"
    quietly "$folder/configure.log" cmake -S . -B "$folder" -DMPI_C_COMPILER=mpicc.openmpi \
        -DMPIEXEC_EXECUTABLE="$(command -v mpirun.openmpi)" "$@"
    quietly "$folder/build.log" cmake --build "$folder" -j "$(nproc)"
}

# Open MPI refuses root unless told twice. In a container, root is who one is.
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
