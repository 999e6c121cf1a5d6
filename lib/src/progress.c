/* A bar that tells how far a run is.

   It is for people at a terminal, and not for files. Under mpirun no rank's standard error is a terminal: it is a pipe, from
   which mpirun passes on what comes to its own (MPICH's with a process in between). So people see it if mpirun's is a terminal.
   Where mpirun runs on another host, or Slurm's srun has started the ranks, that is not to be known, and there is no bar. */
#include <cpar.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a process has open there, as Linux names it: "/dev/pts/0", "pipe:[123]"; "" where it may not be known. */
static void name_open(long process, const char *descriptor, char *name, size_t room)
{
    char link[300];
    snprintf(link, sizeof link, "/proc/%ld/fd/%s", process, descriptor);
    const ssize_t length = readlink(link, name, room - 1);
    name[length > 0 ? length : 0] = 0;
}

/* Whether a process has the pipe of this name open for reading. */
static bool reads(long process, const char *pipe)
{
    char path[64], name[64];
    struct stat link;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%ld/fd", process);
    DIR *folder = opendir(path);
    if (!folder) return false;
    for (const struct dirent *entry; !found && (entry = readdir(folder));) {
        name_open(process, entry->d_name, name, sizeof name);
        if (strcmp(name, pipe) == 0 && fstatat(dirfd(folder), entry->d_name, &link, AT_SYMLINK_NOFOLLOW) == 0) found = link.st_mode & S_IRUSR;
    }
    closedir(folder);
    return found;
}

/* 0 where it may not be known. */
static long parent_of(long process)
{
    char path[64];
    long parent = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %ld", &parent) != 1) parent = 0;
    fclose(file);
    return parent;
}

/* Goes from this process to its parent, for as long as standard error is a pipe that the parent reads, or writes to as well (a
   shell between mpirun and this program). Without that, a `2>&1 | tee` in a terminal would look like one. */
static bool on_terminal(void)
{
    char name[64], above[64];
    if (isatty(STDERR_FILENO)) return true;
    name_open(getpid(), "2", name, sizeof name);
    for (long process = getppid(); process > 0 && strncmp(name, "pipe:", 5) == 0; process = parent_of(process)) {
        name_open(process, "2", above, sizeof above);
        if (strcmp(above, name) == 0) continue;
        if (!reads(process, name)) return false;
        memcpy(name, above, sizeof name);
    }
    return strncmp(name, "/dev/pts/", 9) == 0 || strncmp(name, "/dev/tty", 8) == 0;
}

void cpar_progress(size_t done, size_t of)
{
    enum { BAR = 20, LINE = 72 };
    static bool shown;
    static double start;
    char line[LINE + 1] = "";
    int length = 0;

    if (done == 0) {
        shown = on_terminal();
        start = cpar_time();
    }
    if (!shown) return;
    if (done < of) {
        const int full = (int)(BAR * done / of);
        length = snprintf(line, sizeof line, "[%.*s>%*s] %zu of %zu", full, "====================", BAR - 1 - full, "", done, of);
    }
    if (done > 0 && done < of) {
        const double each = (cpar_time() - start) / (double)done;
        snprintf(line + length, sizeof line - (size_t)length, ", %.3g/s, %.0f s left", 1 / each, each * (double)(of - done));
    }
    /* The cursor goes back to the line's start, so that whatever comes next writes over the bar. */
    fprintf(stderr, "%-*s\r", LINE, line);
}
