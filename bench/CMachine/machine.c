#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

enum { event_capacity = 256 };

int machine_poller(void) { return epoll_create1(EPOLL_CLOEXEC); }

int machine_watch(int poller, int socket, int32_t index, int is_new, int hears_room) {
    struct epoll_event event = {.events = EPOLLIN | (hears_room ? EPOLLOUT : 0), .data.u64 = (uint64_t)index};
    return epoll_ctl(poller, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
}

int machine_wait(int poller, struct machine_event *events, int64_t nanoseconds) {
    struct epoll_event ready[event_capacity];
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(poller, ready, event_capacity, &limit, 0);
    for (int i = 0; i < count; i++) {
        events[i].index = (int32_t)ready[i].data.u64;
        events[i].is_readable = (ready[i].events & ~(uint32_t)EPOLLOUT) != 0;
        events[i].has_room = (ready[i].events & EPOLLOUT) != 0;
    }
    return count;
}

void machine_sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

int machine_pin(int thread, int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    CPU_SET(core, &set);
    return sched_setaffinity(thread, sizeof set, &set);
}

int machine_bind_without_port(int socket) {
    int on = 1;
    return setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
}
