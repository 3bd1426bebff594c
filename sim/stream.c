/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/stream.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "sim/memory.h"

void stream_free(struct stream *stream)
{
    free(stream->data);
    stream->data = NULL;
}

void stream_put(struct stream *stream, struct span bytes)
{
    const size_t kept = (size_t)(stream->put - stream->taken);
    if (stream->start + kept + bytes.length > stream->capacity) {
        if (kept > 0)
            memmove(stream->data, stream->data + stream->start, kept);
        stream->start = 0;
        if (kept + bytes.length > stream->capacity) {
            stream->capacity = (kept + bytes.length) * 2;
            stream->data = sim_allocate(stream->data, stream->capacity);
        }
    }
    if (bytes.length > 0)
        memcpy(stream->data + stream->start + kept, bytes.data, bytes.length);
    stream->put += bytes.length;
}

struct span stream_arrived(const struct stream *stream)
{
    if (stream->arrived == stream->taken)
        return SPAN("");
    return span_of(stream->data + stream->start, (size_t)(stream->arrived - stream->taken));
}

void stream_take(struct stream *stream, size_t length)
{
    CHECK(length <= stream->arrived - stream->taken);
    stream->taken += length;
    stream->start += length;
    if (stream->taken == stream->put)
        stream->start = 0;
}

void stream_drop(struct stream *stream)
{
    stream->put = stream->arrived;
}
