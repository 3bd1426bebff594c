/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's heap, for those parts of the core that commands use. */
#ifndef CLI_ALLOCATOR_H
#define CLI_ALLOCATOR_H

#include "core/base/memory.h"

/* calloc() and free(). */
struct allocator allocator_process(void);

#endif
