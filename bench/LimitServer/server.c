// One loop, one read buffer, one output buffer. A large frame is read into a block of its own size; all answers of one
// read leave with one write, of which only what the socket does not take is copied.
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { read_size = 65536, largest_frame = 16 << 20, prefix_size = 8 };

struct connection {
    uv_tcp_t tcp;
    // The beginning of a frame that has not arrived whole; null when there is none.
    char *block;
    size_t block_count;
    size_t block_room;
};

struct unsent {
    uv_write_t request;
    char bytes[];
};

static char read_buffer[read_size];
static struct output output;
static answer_function answer_frame;

static void *checked(void *memory) {
    if (!memory) abort();
    return memory;
}

void output_reserve(struct output *out, size_t additional) {
    if (out->room - out->count >= additional) return;
    while (out->room - out->count < additional) out->room = out->room ? out->room * 2 : 4096;
    out->bytes = checked(realloc(out->bytes, out->room));
}

static uint32_t big_endian(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void on_closed(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    free(connection->block);
    free(connection);
}

static void close_connection(struct connection *connection) {
    uv_handle_t *handle = (uv_handle_t *)&connection->tcp;
    if (!uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void on_written(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

static void flush(struct connection *connection) {
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;
    uv_buf_t all = uv_buf_init(output.bytes, (unsigned)output.count);
    int sent = uv_try_write(stream, &all, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < output.count) {
        struct unsent *rest = checked(malloc(sizeof *rest + output.count - done));
        memcpy(rest->bytes, output.bytes + done, output.count - done);
        uv_buf_t buffer = uv_buf_init(rest->bytes, (unsigned)(output.count - done));
        if (uv_write(&rest->request, stream, &buffer, 1, on_written)) {
            free(rest);
            close_connection(connection);
        }
    }
    output.count = 0;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)suggested;
    struct connection *connection = handle->data;
    if (connection->block) {
        *buffer = uv_buf_init(
            connection->block + connection->block_count, (unsigned)(connection->block_room - connection->block_count));
    } else {
        *buffer = uv_buf_init(read_buffer, read_size);
    }
}

// Answers all whole frames; bytes used, or -1 when there is no sense in them.
static ssize_t answer_frames(const char *bytes, size_t count, size_t *needed) {
    size_t used = 0;
    *needed = prefix_size;
    while (count - used >= prefix_size) {
        const char *at = bytes + used;
        size_t length = (size_t)big_endian(at) + 4;
        uint32_t word = big_endian(at + 4);
        size_t header_size = word & 0xFFFFFF;
        if (length > largest_frame || length < prefix_size + header_size) return -1;
        *needed = length;
        if (count - used < length) return (ssize_t)used;
        struct frame frame = {
            .header = at + prefix_size,
            .header_size = header_size,
            .body = at + prefix_size + header_size,
            .body_size = length - prefix_size - header_size,
            .is_binary = word >> 24,
        };
        answer_frame(&frame, &output);
        used += length;
        *needed = prefix_size;
    }
    return (ssize_t)used;
}

// Keeps what is left for the next read, in a block with room for the whole frame.
static void keep(struct connection *connection, const char *bytes, size_t count, size_t needed) {
    char *block = checked(malloc(needed));
    memcpy(block, bytes, count);
    free(connection->block);
    connection->block = block;
    connection->block_count = count;
    connection->block_room = needed;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct connection *connection = stream->data;
    if (count < 0) return close_connection(connection);
    if (count == 0) return;
    const char *bytes = buffer->base;
    size_t available = (size_t)count;
    if (connection->block) {
        connection->block_count += (size_t)count;
        bytes = connection->block;
        available = connection->block_count;
        if (available < connection->block_room) return;
    }
    size_t needed;
    ssize_t used = answer_frames(bytes, available, &needed);
    if (used < 0) return close_connection(connection);
    if ((size_t)used < available) {
        keep(connection, bytes + used, available - (size_t)used, needed);
    } else {
        free(connection->block);
        connection->block = NULL;
    }
    if (output.count) flush(connection);
}

static void on_connection(uv_stream_t *listener, int status) {
    if (status < 0) return;
    struct connection *connection = checked(calloc(1, sizeof *connection));
    uv_tcp_init(listener->loop, &connection->tcp);
    connection->tcp.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp)) return close_connection(connection);
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read);
}

// Nothing is left behind when the program that started this one is interrupted.
static void on_second(uv_timer_t *timer) {
    if (getppid() != *(pid_t *)timer->data) exit(0);
}

int serve(const char *host, int port, answer_function answer) {
    signal(SIGPIPE, SIG_IGN);
    answer_frame = answer;
    struct sockaddr_in address;
    static uv_tcp_t listener;
    uv_loop_t *loop = uv_default_loop();
    int status = uv_ip4_addr(host, port, &address);
    if (!status) status = uv_tcp_init(loop, &listener);
    if (!status) status = uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0);
    if (!status) status = uv_listen((uv_stream_t *)&listener, 1024, on_connection);
    if (status) {
        fprintf(stderr, "limit-server: %s:%d: %s\n", host, port, uv_strerror(status));
        return 1;
    }
    static pid_t parent;
    parent = getppid();
    static uv_timer_t watch;
    uv_timer_init(loop, &watch);
    watch.data = &parent;
    uv_timer_start(&watch, on_second, 1000, 1000);
    printf("listening on %s:%d\n", host, port);
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
