/* What cpar asks of the MPI below it before that starts: the one place that knows one implementation from another. */
#ifndef CPAR_TUNE_H
#define CPAR_TUNE_H

/* Before MPI_Init: sets Open MPI's parameters by the environment, where the user has not set them and CPAR_TUNE is not 0. */
void cpar__tune(void);

/* After it, on one rank: prints on standard error what was set, and why. */
void cpar__tell_tuning(void);

#endif
