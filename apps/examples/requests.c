/* asyncio.gather: every rank asks every rank for several things, all questions and answers open at once. The first time
   it takes the answers in the order of the questions; the second time as they come, like asyncio.as_completed. */
#include <cpar.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS = 3, QUESTION = 0, ANSWER = 1 }; /* so many to each rank; tags */

/* Opens a request for each answer, in the order of the questions, and behind these one for each question. */
static void ask(cpar_request **requests, int n)
{
    for (int i = 0; i < n; i++) {
        requests[i] = cpar_ireceive(i / QUESTIONS, .tag = ANSWER);
        requests[n + i] = cpar_isend(i % QUESTIONS, i / QUESTIONS, .tag = QUESTION);
    }
}

/* Rank r's answer to question q is 10 r + q. Each rank is asked as much as it asks. */
static void answer(int n)
{
    for (int i = 0; i < n; i++) {
        cpar_message *question = cpar_receive(i / QUESTIONS, .tag = QUESTION);
        cpar_send(10 * cpar_rank() + cpar_value(question, int), cpar_source(question), .tag = ANSWER);
        cpar_free(question);
    }
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), n = QUESTIONS * cpar_size();
    cpar_request **requests = calloc(2 * (size_t)n, sizeof *requests); /* n for answers, n for questions */
    if (!requests) cpar_abort(1);

    ask(requests, n);
    answer(n);
    cpar_wait_all(requests, 2 * n);
    for (int i = 0; i < n; i++) {
        cpar_message *m = cpar_wait(requests[i]); /* returns at once */
        if (rank == 0) printf("rank %d answers %d\n", cpar_source(m), cpar_value(m, int));
        cpar_free(m);
    }

    ask(requests, n);
    answer(n);
    int sum = 0;
    size_t which;
    for (cpar_message *m; (m = cpar_wait_any(requests, n, &which)); cpar_free(m)) sum += cpar_value(m, int);
    cpar_wait_all(&requests[n], n);

    cpar_print("what came to rank %d makes %d", rank, sum);
    free(requests);
    cpar_finalize();
}
