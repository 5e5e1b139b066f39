// libuv's headers, and the few C facilities Swift's importer cannot reach.
#ifndef HEARSAY_CLIBUV_SHIM_H
#define HEARSAY_CLIBUV_SHIM_H

#include <malloc.h>
#include <sys/socket.h>
#include <uv.h>

// Hidden behind _GNU_SOURCE, which a module cannot define without disturbing Glibc's own.
extern int accept4(int listener, struct sockaddr *peer, socklen_t *length, int flags);

// Takes one waiting connection, non-blocking and closed on exec; -1 and errno as accept4.
static inline int hearsay_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// From this size on malloc maps each block of its own, whatever was freed before (mallopt(3)).
static inline void hearsay_map_blocks(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }

#endif
