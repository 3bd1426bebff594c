/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression by the system's libraries, each loaded when it is first needed: a broker that opens
 * no compressed batch carries none of them.
 */
#ifndef CLI_CODEC_H
#define CLI_CODEC_H

#include <stdbool.h>

#include "core/records/codec.h"

/* A library that is loaded, or was looked for in vain. */
struct codec_library {
    void *handle; /* NULL: not there */
    bool tried;
};

struct codec_libraries {
    struct codec_library libraries[CODECS];
};

/* No library is loaded yet. */
void codec_libraries_init(struct codec_libraries *libraries);

/* Unloads all; they may be loaded again. */
void codec_libraries_close(struct codec_libraries *libraries);

/* What the core borrows; `libraries` has to outlive it. Gzip, zstd and lz4 may have several members
 * or frames; snappy may be framed as snappy-java does it, or raw. */
struct codecs codec_libraries_lend(struct codec_libraries *libraries);

#endif
