/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as any of the files that "chronik dump" shows: the first byte says as which. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/dump.h"
#include "core/base/check.h"
#include "core/base/endian.h"
#include "fuzz/fuzz.h"

#define ARENA_BYTES_MAX ((size_t)64 << 20)

static struct dump dump;

/* Once: the outputs, and libraries that stay loaded. */
static void prepare(void)
{
    if (dump.out != NULL)
        return;
    dump.out = fopen("/dev/null", "w");
    dump.err = dump.out;
    dump.path = "input";
    CHECK(dump.out != NULL);
    codec_libraries_init(&dump.libraries);
    dump.codecs = codec_libraries_lend(&dump.libraries);
}

/* Checksums that a mutation cannot guess are made right, or only they would be found wrong. */
static void mend_checksum(uint8_t *batch, size_t length)
{
    if (length < BATCH_HEADER_BYTES)
        return;
    const uint32_t rest = get_be32(batch + BATCH_AT_LENGTH);
    if (rest <= length - BATCH_PREFIX_BYTES && rest >= BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES)
        put_be32(batch + BATCH_AT_CRC, batch_checksum(batch, BATCH_PREFIX_BYTES + rest));
}

/* The file is the segment beside itself, unless it is odd. */
static void show_index(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", dump.file);
    dump_index(&dump, 0, dump.size_bytes % 2 == 0 ? path : "/nowhere");
}

static void show(unsigned kind)
{
    switch (kind) {
    case 0:
        show_index();
        break;
    case 1:
        dump_time_index(&dump, 0);
        break;
    case 2:
        dump_producers(&dump);
        break;
    case 3:
        dump_epochs(&dump);
        break;
    case 4:
        dump_checkpoint(&dump);
        break;
    case 5:
        dump_partition_metadata(&dump);
        break;
    case 6:
        dump_identity(&dump);
        break;
    default:
        dump_log(&dump, (enum dump_content)(kind % 3), 0);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const unsigned kind = data[0] % 16;
    const size_t length = size - 1;
    uint8_t *bytes = malloc(length + 1);
    prepare();
    CHECK(bytes != NULL);
    memcpy(bytes, data + 1, length);
    if (kind > 6 && (data[0] & 0x20) == 0)
        mend_checksum(bytes, length);
    dump.file = memfd_create("input", MFD_CLOEXEC);
    CHECK(dump.file >= 0 && write(dump.file, bytes, length) == (ssize_t)length);
    dump.size_bytes = length;
    dump.records = true;
    dump.json = (data[0] & 0x10) != 0;
    memory_init(&dump.memory, allocator_process());
    arena_init(&dump.arena, &dump.memory, MEMORY_READ, ARENA_BYTES_MAX);
    show(kind);
    arena_reset(&dump.arena);
    close(dump.file);
    free(bytes);
    return 0;
}
