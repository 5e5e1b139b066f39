// libuv's headers, and the few C facilities Swift's importer cannot reach.
#ifndef HEARSAY_CLIBUV_SHIM_H
#define HEARSAY_CLIBUV_SHIM_H

#include <uv.h>

#endif
