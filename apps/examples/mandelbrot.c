/* A picture of the Mandelbrot set, whose rows take very unlike times, and three ways to share them: in blocks, in turn as cards are
   dealt, and by cpar_map to whoever is free. All make the same picture; a second one shows which rank computed what. */
#include "../app.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 20000, COLOURS = 256, OF_RANKS = 6 };

static const char help[] =
    "usage: mpirun -n RANKS mandelbrot [OPTION ...] FILE\n"
    "\n"
    "Writes a picture of the Mandelbrot set to FILE, as PNG. It is 3 wide, and its upper left corner -2.25+i:\n"
    "900x600 shows the whole set, 900x300 the upper half, whose lower rows take much longer.\n"
    "\n"
    "  --size WIDTHxHEIGHT  in pixels (1 to 20000 each; 900x600 by default)\n"
    "  --most ITERATIONS    what stays for so many is black (1 to 1000000000; 1000 by default)\n"
    "  --way WAY            how ranks share the rows: block, each has as many, one below the other; cyclic,\n"
    "                       they are dealt like cards; dynamic, whoever is free takes one (by default)\n"
    "  --who FILE           write another with each row in the colour of the rank that computed it; print\n"
    "                       which that is, how many rows, and in how many seconds\n"
    "  --help               print this\n";

static size_t width = 900, height = 600;
static long most = 1000;

/* What this rank has done. */
static size_t rows_done;
static double seconds;
static int *who; /* of each row that it computed, its rank; of the others 0 */

/* A pixel is the number of its colour: 0 in the set, elsewhere by how many iterations it took to leave. */
static void compute(size_t row, unsigned char *pixels)
{
    const double start = cpar_time(), step = 3.0 / (double)width, y = 1 - step * (double)row;
    for (size_t column = 0; column < width; column++) {
        const double x = step * (double)column - 2.25;
        double re = 0, im = 0;
        long n = 0;
        for (; n < most && re * re + im * im <= 4; n++) {
            const double next = re * re - im * im + x;
            im = 2 * re * im + y;
            re = next;
        }
        pixels[column] = n == most ? 0 : (unsigned char)(1 + n % (COLOURS - 1));
    }
    who[row] = cpar_rank();
    rows_done++;
    seconds += cpar_time() - start;
}

/* ---- Three ways. The picture is at rank 0; at the others it is NULL. ---------------------------- */

static void by_block(unsigned char *picture)
{
    const cpar_range mine = cpar_balance(height, cpar_size(), cpar_rank());
    const size_t n = mine.hi - mine.lo;
    unsigned char *rows = app_allocate(n, width);
    for (size_t i = 0; i < n; i++) compute(mine.lo + i, rows + i * width);

    cpar_message *all = cpar_gather(cpar_array(rows, n * width), 0);
    if (picture) memcpy(picture, cpar_as(all, unsigned char), cpar_bytes(all));
    cpar_free(all);
    free(rows);
}

static void by_turns(unsigned char *picture)
{
    const size_t rank = (size_t)cpar_rank(), size = (size_t)cpar_size(), n = (height + size - 1 - rank) / size;
    unsigned char *rows = app_allocate(n, width);
    for (size_t i = 0; i < n; i++) compute(rank + i * size, rows + i * width);

    cpar_message *all = cpar_gather(cpar_array(rows, n * width), 0);
    for (size_t row = 0; picture && row < height; row++)
        memcpy(picture + row * width, cpar_part(all, (int)(row % size), unsigned char, NULL) + row / size * width, width);
    cpar_free(all);
    free(rows);
}

static cpar_message *computed(size_t row)
{
    static unsigned char pixels[WIDEST];
    compute(row, pixels);
    return cpar_message_of(cpar_array(pixels, width));
}
CPAR_TASK(computed, size_t, cpar_message *);

static void by_map(unsigned char *picture)
{
    size_t *rows = app_allocate(height, sizeof *rows);
    cpar_message **all = app_allocate(height, sizeof *all);
    for (size_t row = 0; row < height; row++) rows[row] = row;

    cpar_map(computed, rows, height, all);
    for (size_t row = 0; picture && row < height; row++) {
        memcpy(picture + row * width, cpar_as(all[row], unsigned char), width);
        cpar_free(all[row]);
    }
    free(all);
    free(rows);
}

/* ---- Pictures, at rank 0. These return the exit status. ----------------------------------------- */

typedef unsigned char palette[COLOURS][3]; /* red, green, blue; 0 is black */

static const char *const names[OF_RANKS] = { "red", "blue", "green", "yellow", "violet", "cyan" };
static const palette of_ranks = { { 0 }, { 230, 60, 60 }, { 70, 110, 240 }, { 70, 190, 80 }, { 240, 210, 60 }, { 160, 80, 210 }, { 70, 210, 220 } };

static int write_png(const char *file, const unsigned char *picture, const void *colours)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = (png_uint_32)height,
        .format = PNG_FORMAT_RGB_COLORMAP, .colormap_entries = COLOURS };
    if (png_image_write_to_file(&image, file, 0, picture, 0, colours)) return 0;
    fprintf(stderr, "mandelbrot: %s: %s\n", file, image.message);
    return 1;
}

static int write_both(unsigned char *picture, const char *file, const char *who_file)
{
    palette colours = { { 0 } };
    for (int i = 1; i < COLOURS; i++)
        for (int j = 0; j < 3; j++) colours[i][j] = (unsigned char)((255 - abs((40 + 7 * i) % 510 - 255)) * (j + 2) / 4); /* bluish, to and fro */
    if (write_png(file, picture, colours) != 0) return 1;
    for (size_t i = 0; i < width * height; i++)
        if (picture[i]) picture[i] = (unsigned char)(1 + who[i / width] % OF_RANKS);
    return who_file ? write_png(who_file, picture, of_ranks) : 0;
}

static int run(void (*share)(unsigned char *), const char *file, const char *who_file)
{
    const int rank = cpar_rank();
    const double start = cpar_time();
    unsigned char *picture = rank == 0 ? app_allocate(height, width) : NULL;
    who = app_allocate(height, sizeof *who);
    share(picture);
    const double took = cpar_time() - start;

    cpar_reduce(cpar_array(who, height), cpar_array(who, height), CPAR_SUM, 0);
    if (who_file) cpar_print("rank %d, %s: %zu rows, %.3f s", rank, names[rank % OF_RANKS], rows_done, seconds);
    if (who_file && rank == 0) printf("all: %zu rows, %.3f s\n", height, took);
    const int status = rank == 0 ? write_both(picture, file, who_file) : 0;
    free(picture);
    free(who);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "size", required_argument, NULL, 's' }, { "most", required_argument, NULL, 'm' },
        { "way", required_argument, NULL, 'w' }, { "who", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    void (*share)(unsigned char *) = by_map;
    const char *who_file = NULL;
    char rest;
    int status = 0, option;

    cpar_init(&argc, &argv);
    opterr = 0;
    while (!status && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 's':
            if (sscanf(optarg, "%5zux%5zu%c", &width, &height, &rest) != 2 || width - 1 >= WIDEST || height - 1 >= WIDEST)
                status = app_refuse("--size: '%s' is not accepted, WIDTHxHEIGHT is, 1 to %d each", optarg, WIDEST);
            break;
        case 'm': status = app_number("--most", optarg, 1, 1000000000, &most) ? 0 : 2; break;
        case 'w':
            if (strcmp(optarg, "block") == 0) share = by_block;
            else if (strcmp(optarg, "cyclic") == 0) share = by_turns;
            else if (strcmp(optarg, "dynamic") == 0) share = by_map;
            else status = app_refuse("--way: '%s' is not accepted, block, cyclic and dynamic are", optarg);
            break;
        case 'o': who_file = optarg; break;
        case 'h':
            if (cpar_rank() == 0) fputs(help, stdout);
            return cpar_finalize();
        default: status = app_refuse_option(option, argv);
        }
    }
    if (!status && argc != optind + 1) status = app_refuse("%d file names, 1 is accepted; --help tells all", argc - optind);
    if (!status) status = run(share, argv[optind], who_file);
    cpar_finalize();
    return status;
}
