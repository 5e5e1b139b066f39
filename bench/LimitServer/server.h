// A plain C server on libuv that answers RocketMQ frames: what our node is measured against.
#ifndef HEARSAY_LIMIT_SERVER_H
#define HEARSAY_LIMIT_SERVER_H

#include <stddef.h>
#include <stdint.h>

// Bytes that grow; the loop owns one of them, into which all answers of one read go.
struct output {
    char *bytes;
    size_t count;
    size_t room;
};

// One request frame, in place.
struct frame {
    const char *header;
    size_t header_size;
    const char *body;
    size_t body_size;
    int is_binary;
};

// Appends the answer of one frame; called for each frame, in order.
typedef void (*answer_function)(const struct frame *frame, struct output *output);

// Makes room for `additional` more bytes.
void output_reserve(struct output *output, size_t additional);

// Serves until it is killed or its parent has ended. Prints one line when it listens; 1 when it cannot.
int serve(const char *host, int port, answer_function answer);

#endif
