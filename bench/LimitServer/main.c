// limit-server: plain C on libuv, the limit that our node is measured against (bench/README.md).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"

static int usage(void) {
    fputs(
        "usage: limit-server heartbeat HOST PORT        reads, computes the CRC-32, answers\n"
        "       limit-server canned HOST PORT [FILE]    answers the bytes of FILE, whatever is asked\n",
        stderr);
    return 64;
}

// The whole file; never freed, since answers are made of it for ever.
static int read_body(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    enum { limit = 16 << 20 };
    char *bytes = malloc(limit);
    size_t count = bytes ? fread(bytes, 1, limit, file) : 0;
    int is_bad = !bytes || ferror(file);
    fclose(file);
    if (is_bad) {
        fprintf(stderr, "limit-server: cannot read %s\n", path);
        return 1;
    }
    set_canned_body(bytes, count);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 4) return usage();
    int port = atoi(argv[3]);
    if (strcmp(argv[1], "heartbeat") == 0 && argc == 4) return serve(argv[2], port, answer_heartbeat);
    if (strcmp(argv[1], "canned") != 0 || argc > 5) return usage();
    set_canned_body("", 0);
    if (argc == 5 && read_body(argv[4])) return 1;
    return serve(argv[2], port, answer_canned);
}
