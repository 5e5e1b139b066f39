// What the limit servers answer.
#ifndef HEARSAY_LIMIT_ANSWERS_H
#define HEARSAY_LIMIT_ANSWERS_H

#include "server.h"

// Computes the CRC-32 of the body and compares it with the header's: the least that a heartbeat can cost.
void answer_heartbeat(const struct frame *frame, struct output *output);

// The same body each time, given by `set_canned_body`: the least that a lookup can cost.
void answer_canned(const struct frame *frame, struct output *output);

// Keeps the bytes; they must live as long as the server.
void set_canned_body(const char *bytes, size_t count);

#endif
