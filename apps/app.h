/* What the apps share: memory, and command lines. Every rank reads the same one, and comes to the same verdict;
   rank 0 tells it. */
#ifndef APP_H
#define APP_H

#include <cpar.h>
#include <getopt.h>

/* Zeroes, for free(). Where there is no memory for them, says so and ends the job. */
void *app_allocate(size_t count, size_t size);

/* Prints "ring: ..." on rank 0's standard error. Returns EX_USAGE of the apps: 2. */
int app_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As app_refuse, of the option for which getopt_long has just returned ':', for its value is missing, or '?'. */
int app_refuse_option(int option, char **argv);

/* Whether text is a whole number from least to most, then in *out; else refuses, naming `what`. */
bool app_number(const char *what, const char *text, long least, long most, long *out);

/* The same of a number with decimals. */
bool app_decimal(const char *what, const char *text, double least, double most, double *out);

#endif
