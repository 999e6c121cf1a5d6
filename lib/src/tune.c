#include "tune.h"

#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *parameter, *value;
    const char *family; /* the user has chosen if a parameter with this in its name is set */
    const char *why;
    bool set;
} choice;

static choice choices[] = {
#if defined OPEN_MPI && OMPI_MAJOR_VERSION == 4 && (OMPI_MINOR_VERSION < 1 || (OMPI_MINOR_VERSION == 1 && OMPI_RELEASE_VERSION < 5))
    { "mtl_ofi_provider_exclude", "shm,sockets,tcp,udp,rstream,usnic,net", "ofi_provider_",
        "between hosts, libfabric's provider `net` can lose messages; later versions of Open MPI exclude it themselves", false },
#endif
#if defined OPEN_MPI && OMPI_MAJOR_VERSION == 4
    { "btl_vader_eager_limit", "8192", "vader_eager_limit",
        "on one node, messages of 4 to 8 KiB go through shared memory and cost no system call", false },
#endif
    { .parameter = NULL },
};

/* ---- What the user has set ------------------------------------------------------------------ */

extern char **environ;

#define PREFIX "OMPI_MCA_"

static bool in_environment(const char *family)
{
    for (char **e = environ; *e; e++) {
        const size_t name = strcspn(*e, "=");
        const char *found = strncmp(*e, PREFIX, strlen(PREFIX)) ? NULL : strstr(*e, family);
        if (found && found < *e + name) return true;
    }
    return false;
}

/* Lines of such a file are `parameter = value`, or comments. */
static bool in_file(const char *path, const char *family)
{
    FILE *file = fopen(path, "r");
    if (!file) return false;
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (!found && getline(&line, &room, file) >= 0) {
        line[strcspn(line, "#=")] = 0;
        found = strstr(line, family);
    }
    free(line);
    fclose(file);
    return found;
}

static bool chosen(const char *family)
{
    char own[4096];
    const char *home = getenv("HOME");
    snprintf(own, sizeof own, "%s/.openmpi/mca-params.conf", home ? home : "");
    return in_environment(family) || in_file(own, family) || in_file("/etc/openmpi/openmpi-mca-params.conf", family);
}

/* ---- Setting and telling -------------------------------------------------------------------- */

void cpar__tune(void)
{
    if (!cpar__setting.tune) return;
    for (choice *c = choices; c->parameter; c++) {
        char variable[128];
        snprintf(variable, sizeof variable, PREFIX "%s", c->parameter);
        c->set = !chosen(c->family) && setenv(variable, c->value, 0) == 0;
    }
}

void cpar__tell_tuning(void)
{
    int told = 0;
    for (const choice *c = choices; c->parameter; c++)
        if (c->set) told += fprintf(stderr, "cpar: set %s to %s: %s\n", c->parameter, c->value, c->why) > 0;
    if (!told) fprintf(stderr, "cpar: set none of MPI's parameters\n");
}
