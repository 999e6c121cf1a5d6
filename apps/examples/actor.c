/* An actor: threading.Thread(target=act) with a queue.Queue as its mailbox. It lives on rank 0; all ranks put() numbers
   and words in, at the same time, and at last an empty message, as None often is. Then they join(): its farewell
   tells them the state in which it ended. */
#include <cpar.h>
#include <stddef.h>

enum { ACTOR = 0, MAIL = 0, FAREWELL = 1 }; /* its rank; tags */

typedef struct {
    int numbers, sum;
    size_t words, letters;
} state;

static void act(void)
{
    state s = { 0 };
    for (int open = cpar_size(); open > 0;) {
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = MAIL);
        if (cpar_count(m) == 0)
            open--; /* one from each sender, behind all else that it sent */
        else if (cpar_is(m, int)) {
            s.numbers++;
            s.sum += cpar_value(m, int);
        } else if (cpar_is(m, char)) {
            s.words++;
            s.letters += cpar_count(m) - 1; /* without the final NUL */
        }
        cpar_free(m);
    }
    for (int sender = 0; sender < cpar_size(); sender++) cpar_send(cpar_struct(s), sender, .tag = FAREWELL);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    const int rank = cpar_rank();

    for (int i = 1; i <= 3; i++) {
        cpar_send(100 * rank + i, ACTOR, .tag = MAIL);
        cpar_send(i % 2 ? "ping" : "pong pong", ACTOR, .tag = MAIL);
    }
    cpar_send(cpar_array("", 0), ACTOR, .tag = MAIL);
    if (rank == ACTOR) act(); /* what this rank has sent waits in the mailbox, as all else */

    state s;
    cpar_receive_into(cpar_struct(s), ACTOR, .tag = FAREWELL);
    cpar_print("rank %d: the actor got %d numbers, together %d, and %zu words of %zu letters", rank, s.numbers, s.sum, s.words, s.letters);
    cpar_finalize();
}
