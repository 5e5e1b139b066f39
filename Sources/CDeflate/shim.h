// libdeflate: CRC-32, Adler-32, inflate and deflate of whole buffers.
#ifndef HEARSAY_CDEFLATE_SHIM_H
#define HEARSAY_CDEFLATE_SHIM_H

#include <libdeflate.h>

#endif
