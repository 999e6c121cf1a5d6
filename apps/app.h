/* What the apps share: command lines, of which every rank reads the same one and comes to the same verdict, which
   rank 0 tells; and how far a run is. */
#ifndef APP_H
#define APP_H

#include <cpar.h>
#include <getopt.h>

/* Prints "ring: ..." on rank 0's standard error. Returns EX_USAGE of the apps: 2. */
int app_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As app_refuse, of the option for which getopt_long has just returned ':', for its value is missing, or '?'. */
int app_refuse_option(int option, char **argv);

/* Whether text is a whole number from least to most, then in *out; else refuses, naming `what`. */
bool app_number(const char *what, const char *text, long least, long most, long *out);

/* The same of a number with decimals. */
bool app_decimal(const char *what, const char *text, double least, double most, double *out);

/* Shows a line such as "[=====>    ] 12 of 36, 8 s left" on standard error, if that comes to a terminal. The next one replaces
   it; 0 of 36 begins, and 36 of 36 erases it. */
void app_progress(size_t done, size_t of);

#endif
