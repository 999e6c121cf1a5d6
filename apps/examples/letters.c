/* A master hands out ten letters, one at a time, to whichever worker is free. Takes 2 ranks or more. */
#include <cpar.h>
#include <stdio.h>

static const char letters[] = "ABCDEFGHIJ";
enum { LETTERS = 10, STOP = LETTERS }; /* tags: which letter it is, or the end */

static void work(void)
{
    for (;;) {
        cpar_message *m = cpar_receive(0, .tag = CPAR_ANY_TAG);
        const int tag = cpar_tag(m);
        if (tag != STOP) {
            char line[64];
            snprintf(line, sizeof line, "%c is letter %d of the alphabet", cpar_value(m, char), tag + 1);
            cpar_send(line, 0, .tag = tag);
        }
        cpar_free(m);
        if (tag == STOP) return;
    }
}

static void hand_out(int workers)
{
    cpar_message *results[LETTERS];
    int given = 0;

    for (int worker = 1; worker <= workers; worker++, given++)
        if (given < LETTERS) cpar_send(letters[given], worker, .tag = given);
        else cpar_send(0, worker, .tag = STOP);

    for (int done = 0; done < LETTERS; done++, given++) {
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG);
        results[cpar_tag(m)] = m;
        if (given < LETTERS) cpar_send(letters[given], cpar_source(m), .tag = given);
        else cpar_send(0, cpar_source(m), .tag = STOP);
    }
    for (int i = 0; i < LETTERS; i++) {
        puts(cpar_text(results[i]));
        cpar_free(results[i]);
    }
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int workers = cpar_size() - 1;
    if (workers == 0) fputs("letters: there is one rank, 2 or more are accepted\n", stderr);
    else if (cpar_rank() == 0) hand_out(workers);
    else work();
    cpar_finalize();
    return workers == 0 ? 2 : 0;
}
