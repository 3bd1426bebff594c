/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a flight record. Checksums are made right, or only they would be found wrong; what
 * ends differently than recorded is passed over, so that one change does not end the run.
 *
 * Whatever it holds, replaying it ends; what of it can be read is written as it was read, and what
 * is told of it can be printed.
 */
#include <stdlib.h>

#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/trace/header.h"
#include "core/wire/error.h"
#include "fuzz/flight_again.h"
#include "fuzz/fuzz.h"
#include "sim/peer.h"
#include "sim/replay.h"

/* Where the length and the checksum of the settings are, and what they are about. */
#define LENGTH_AT   (TRACE_RECORD_MAGIC_BYTES + 4)
#define CHECKSUM_AT (TRACE_RECORD_MAGIC_BYTES + 8)
#define SETTINGS_AT (TRACE_RECORD_MAGIC_BYTES + 12)

static void mend(uint8_t *file, size_t size)
{
    if (size < SETTINGS_AT || get_be32(file + LENGTH_AT) > size - SETTINGS_AT)
        return;
    size_t at = SETTINGS_AT + get_be32(file + LENGTH_AT);
    put_be32(file + CHECKSUM_AT, crc32c(0, file + SETTINGS_AT, at - SETTINGS_AT));
    while (size - at >= TRACE_CHUNK_HEAD_BYTES) {
        const size_t left = size - at - TRACE_CHUNK_HEAD_BYTES;
        const size_t length = get_be32(file + at) < left ? get_be32(file + at) : left;
        trace_chunk_head(file + at, span_of(file + at + TRACE_CHUNK_HEAD_BYTES, length), SPAN_NULL);
        at += TRACE_CHUNK_HEAD_BYTES + length;
    }
}

static void pass_over(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* No library is there. */
static int decompress(void *context, enum codec codec, struct span in, size_t limit_bytes,
                      struct arena *arena, struct span *ret_out)
{
    (void)context;
    (void)codec;
    (void)in;
    (void)limit_bytes;
    (void)arena;
    (void)ret_out;
    return ERR_UNSUPPORTED_COMPRESSION_TYPE;
}

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)event;
    (void)payload;
    (void)number;
    (void)cause;
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)effect;
    (void)number;
    (void)cause;
}

static void on_text(void *context, struct span text)
{
    (void)context;
    (void)text;
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)what;
    (void)number;
    (void)cause;
    const struct wire_printer printer = {.print = on_text, .bytes_max = 16};
    wire_print(exchange->api->request, exchange->version, exchange->request, &printer);
    if (exchange->response != NULL)
        wire_print(exchange->api->response, exchange->version, exchange->response, &printer);
}

static const struct sim_sink sink = {.event = on_event, .effect = on_effect, .message = on_message};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replay replay;
    const struct codecs codecs = {.decompress = decompress};
    const struct replay_options options = {.codecs = &codecs, .differs = pass_over, .sink = &sink};
    uint8_t *file = malloc(size + 1);
    if (file == NULL)
        return 0;
    if (size > 0)
        memcpy(file, data, size);
    mend(file, size);
    flight_again(span_of(file, size));
    replay_record(span_of(file, size), &options, &replay);
    free(file);
    return 0;
}
