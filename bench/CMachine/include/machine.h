// What the load tool asks of Linux and Swift's importer cannot reach: names behind _GNU_SOURCE and variadic calls.
#ifndef HEARSAY_CMACHINE_H
#define HEARSAY_CMACHINE_H

#include <stdint.h>

// One ready socket.
struct machine_event {
    int32_t index;
    // Something can be read, or the connection has ended.
    int8_t is_readable;
    int8_t has_room;
};

// A new epoll descriptor; -1 and errno on failure.
int machine_poller(void);

// Adds a socket to an epoll descriptor, or changes what is heard of it; -1 and errno on failure.
int machine_watch(int poller, int socket, int32_t index, int is_new, int hears_room);

// Waits with nanosecond precision: the milliseconds of epoll_wait would round every send time. At most 256 events.
int machine_wait(int poller, struct machine_event *events, int64_t nanoseconds);

// Timers of this thread may be late by 1 ns instead of the default 50 us.
void machine_sharpen_timers(void);

// Pins one thread (0: the calling one) to one core; -1 and errno on failure.
int machine_pin(int thread, int core);

// Lets a socket that is bound to an address choose its port only when it connects, so that ports can be shared.
int machine_bind_without_port(int socket);

#endif
