/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of record batches: its names, and the decompression that the world lends the core. */
#ifndef CORE_RECORDS_CODEC_H
#define CORE_RECORDS_CODEC_H

#include "core/base/arena.h"
#include "core/base/span.h"

/* As bits 0 to 2 of a batch's attributes have it. */
enum codec { CODEC_NONE, CODEC_GZIP, CODEC_SNAPPY, CODEC_LZ4, CODEC_ZSTD, CODECS };

/* The core links no compression library, so that an idle broker does not carry them. */
struct codecs {
    /* Decompresses `in`, all of it, into `arena`. The result depends on the arguments alone.
     * ERR_CORRUPT_MESSAGE: malformed or cut short. ERR_MESSAGE_TOO_LARGE: it gives more than
     * `limit_bytes`, or more than the arena has room for. ERR_UNSUPPORTED_COMPRESSION_TYPE: this
     * machine lacks the library. `context` is the one below. */
    int (*decompress)(void *context, enum codec codec, struct span in, size_t limit_bytes,
                      struct arena *arena, struct span *ret_out);
    void *context;
};

#endif
