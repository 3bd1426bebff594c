/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), as record batches carry it. */
#ifndef CORE_BASE_CRC32C_H
#define CORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Extends `crc` (0 to begin with) by `length` bytes. The fastest way that this processor has is
 * chosen at run time: ISA-L's where it was built in, the processor's own instruction, or tables. */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

/* The table-driven way, for tests to compare with. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t length);

#endif
