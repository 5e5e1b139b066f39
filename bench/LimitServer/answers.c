#define _GNU_SOURCE
#include "answers.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *canned_body;
static size_t canned_size;

void set_canned_body(const char *bytes, size_t count) {
    canned_body = bytes;
    canned_size = count;
}

static uint32_t big_endian(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put_big_endian(char *bytes, uint32_t value) {
    bytes[0] = (char)(value >> 24);
    bytes[1] = (char)(value >> 16);
    bytes[2] = (char)(value >> 8);
    bytes[3] = (char)value;
}

// The number behind `key` in the header; strtol would read beyond a header that is cut off.
static long number_behind(const struct frame *frame, const char *key, size_t key_size) {
    const char *end = frame->header + frame->header_size;
    const char *at = memmem(frame->header, frame->header_size, key, key_size);
    if (!at) return 0;
    at += key_size;
    int is_negative = at < end && *at == '-';
    if (is_negative) at++;
    long value = 0;
    for (; at < end && *at >= '0' && *at <= '9' && value < 1L << 40; at++) value = value * 10 + (*at - '0');
    return is_negative ? -value : value;
}

static int32_t opaque_of(const struct frame *frame) {
    if (frame->is_binary) return frame->header_size >= 9 ? (int32_t)big_endian(frame->header + 5) : 0;
    return (int32_t)number_behind(frame, "\"opaque\":", 9);
}

static long crc_of(const struct frame *frame) {
    if (!frame->is_binary) return number_behind(frame, "\"bodyCrc32\":\"", 13);
    const char *at = memmem(frame->header, frame->header_size, "bodyCrc32", 9);
    if (!at) return 0;
    // Behind a name of the binary header: four bytes of length, then the text.
    struct frame rest = *frame;
    rest.header = at + 13;
    rest.header_size = (size_t)(frame->header + frame->header_size - at) > 13
                           ? (size_t)(frame->header + frame->header_size - at) - 13
                           : 0;
    return number_behind(&rest, "", 0);
}

static void append_answer(
    struct output *output, int code, const char *fields, int32_t opaque, const char *body, size_t body_size) {
    output_reserve(output, 256 + body_size);
    char *start = output->bytes + output->count;
    int header = snprintf(
        start + 8, 248,
        "{\"code\":%d,%s\"flag\":1,\"language\":\"JAVA\",\"opaque\":%d,\"serializeTypeCurrentRPC\":\"JSON\",\"version\":479}",
        code, fields, opaque);
    put_big_endian(start, (uint32_t)(4 + (size_t)header + body_size));
    put_big_endian(start + 4, (uint32_t)header);
    memcpy(start + 8 + header, body, body_size);
    output->count += 8 + (size_t)header + body_size;
}

void answer_heartbeat(const struct frame *frame, struct output *output) {
    uint32_t crc = libdeflate_crc32(0, frame->body, frame->body_size) & 0x7FFFFFFF;
    int is_right = (long)crc == crc_of(frame);
    append_answer(output, is_right ? 0 : 1, "\"extFields\":{},", opaque_of(frame), "", 0);
}

void answer_canned(const struct frame *frame, struct output *output) {
    append_answer(output, 0, "", opaque_of(frame), canned_body, canned_size);
}
