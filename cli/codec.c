/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/codec.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/library.h"
#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/error.h"

/* What a first guess of the decompressed size makes of the compressed one, at least so much. */
#define GUESS_FACTOR    4
#define GUESS_BYTES_MIN 4096

static const char *const library_names[CODECS] = {
    [CODEC_GZIP] = "libz.so.1",
    [CODEC_SNAPPY] = "libsnappy.so.1",
    [CODEC_LZ4] = "liblz4.so.1",
    [CODEC_ZSTD] = "libzstd.so.1",
};

void codec_libraries_init(struct codec_libraries *libraries)
{
    *libraries = (struct codec_libraries){0};
}

void codec_libraries_close(struct codec_libraries *libraries)
{
    for (int codec = 0; codec < CODECS; codec++)
        if (libraries->libraries[codec].handle != NULL)
            dlclose(libraries->libraries[codec].handle);
    codec_libraries_init(libraries);
}

/* The library of `codec`, loaded if need be; NULL when this machine has none. */
static void *library_handle(struct codec_libraries *libraries, enum codec codec)
{
    struct codec_library *library = &libraries->libraries[codec];

    if (!library->tried) {
        library->tried = true;
        library->handle = library_open(library_names[codec]);
    }
    return library->handle;
}

/* Decompressed bytes that grow up to a limit. */
struct sink {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    size_t limit_bytes;
};

/* Makes room for `more` bytes at least, or for as many as the limit leaves if that is less but not
 * nothing. ERR_MESSAGE_TOO_LARGE when there is no room. */
static int sink_grow(struct sink *sink, size_t more)
{
    if (sink->length == sink->limit_bytes)
        return ERR_MESSAGE_TOO_LARGE;
    if (more > sink->limit_bytes - sink->length)
        more = sink->limit_bytes - sink->length;
    if (sink->capacity - sink->length >= more)
        return ERR_NONE;
    size_t capacity = 2 * sink->capacity;
    if (capacity > sink->limit_bytes)
        capacity = sink->limit_bytes;
    if (capacity < sink->length + more)
        capacity = sink->length + more;
    CHECK(capacity > sink->capacity);
    uint8_t *bytes = realloc(sink->bytes, capacity);
    if (bytes == NULL)
        return ERR_MESSAGE_TOO_LARGE;
    sink->bytes = bytes;
    sink->capacity = capacity;
    return ERR_NONE;
}

/* A first room for what `in` may become, and whenever it is full. */
static int sink_room(struct sink *sink, struct span in)
{
    const size_t guess =
        in.length < GUESS_BYTES_MIN / GUESS_FACTOR ? GUESS_BYTES_MIN : GUESS_FACTOR * in.length;

    if (sink->length < sink->capacity)
        return ERR_NONE;
    return sink_grow(sink, sink->capacity == 0 ? guess : 1);
}

/* zlib */

#define GZIP_WINDOW_BITS  (15 + 16) /* the largest window, in gzip's format */
#define ZLIB_VERSION_TEXT "1.2.11"
#define Z_NO_FLUSH        0
#define Z_OK              0
#define Z_STREAM_END      1
#define Z_BUF_ERROR       (-5)

struct zlib_stream {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *message;
    void *state;
    void *(*allocate)(void *, unsigned, unsigned);
    void (*release)(void *, void *);
    void *opaque;
    int data_type;
    unsigned long checksum;
    unsigned long reserved;
};

struct zlib {
    int (*init)(struct zlib_stream *stream, int window_bits, const char *version, int stream_size);
    int (*inflate)(struct zlib_stream *stream, int flush);
    int (*reset)(struct zlib_stream *stream);
    int (*end)(struct zlib_stream *stream);
};

/* Inflates member after member until the input ends with one. */
static int inflate_members(const struct zlib *zlib, struct zlib_stream *stream, struct span in,
                           struct sink *sink)
{
    for (;;) {
        const int error = sink_room(sink, in);
        if (error != ERR_NONE)
            return error;
        const size_t room = sink->capacity - sink->length;
        stream->next_out = sink->bytes + sink->length;
        stream->avail_out = (unsigned)room;
        const int result = zlib->inflate(stream, Z_NO_FLUSH);
        sink->length += room - stream->avail_out;
        if (result == Z_STREAM_END) {
            if (stream->avail_in == 0)
                return ERR_NONE;
            if (zlib->reset(stream) != Z_OK)
                return ERR_CORRUPT_MESSAGE;
        } else if (result != Z_OK || (stream->avail_in == 0 && stream->avail_out > 0)) {
            return ERR_CORRUPT_MESSAGE;
        }
    }
}

static int gzip_decompress(void *handle, struct span in, struct sink *sink)
{
    struct zlib_stream stream = {.next_in = in.data, .avail_in = (unsigned)in.length};
    struct zlib zlib;

    if (!library_find(handle, "inflateInit2_", &zlib.init) ||
        !library_find(handle, "inflate", &zlib.inflate) ||
        !library_find(handle, "inflateReset", &zlib.reset) ||
        !library_find(handle, "inflateEnd", &zlib.end))
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    if (zlib.init(&stream, GZIP_WINDOW_BITS, ZLIB_VERSION_TEXT, sizeof(stream)) != Z_OK)
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    const int error = inflate_members(&zlib, &stream, in, sink);
    zlib.end(&stream);
    return error;
}

/* snappy */

/* How snappy-java begins: this, then two versions, then blocks with their length in front. */
#define XERIAL_MAGIC       SPAN("\x82SNAPPY\0")
#define XERIAL_HEAD_BYTES  16
#define BLOCK_LENGTH_BYTES 4

struct snappy {
    int (*length)(const char *in, size_t in_length, size_t *ret_length);
    int (*uncompress)(const char *in, size_t in_length, char *out, size_t *out_length);
};

static int snappy_block(const struct snappy *snappy, struct span in, struct sink *sink)
{
    size_t length;

    if (snappy->length((const char *)in.data, in.length, &length) != 0)
        return ERR_CORRUPT_MESSAGE;
    if (length == 0)
        return in.length == 1 ? ERR_NONE : ERR_CORRUPT_MESSAGE;
    if (length > sink->limit_bytes - sink->length)
        return ERR_MESSAGE_TOO_LARGE;
    const int error = sink_grow(sink, length);
    if (error != ERR_NONE)
        return error;
    if (snappy->uncompress((const char *)in.data, in.length, (char *)sink->bytes + sink->length,
                           &length) != 0)
        return ERR_CORRUPT_MESSAGE;
    sink->length += length;
    return ERR_NONE;
}

static int snappy_blocks(const struct snappy *snappy, struct span in, struct sink *sink)
{
    while (in.length > 0) {
        if (in.length < BLOCK_LENGTH_BYTES)
            return ERR_CORRUPT_MESSAGE;
        const uint32_t length = get_be32(in.data);
        in = span_of(in.data + BLOCK_LENGTH_BYTES, in.length - BLOCK_LENGTH_BYTES);
        if (length > in.length)
            return ERR_CORRUPT_MESSAGE;
        const int error = snappy_block(snappy, span_of(in.data, length), sink);
        if (error != ERR_NONE)
            return error;
        in = span_of(in.data + length, in.length - length);
    }
    return ERR_NONE;
}

static int snappy_decompress(void *handle, struct span in, struct sink *sink)
{
    const struct span magic = XERIAL_MAGIC;
    struct snappy snappy;

    if (!library_find(handle, "snappy_uncompressed_length", &snappy.length) ||
        !library_find(handle, "snappy_uncompress", &snappy.uncompress))
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    if (in.length >= XERIAL_HEAD_BYTES && memcmp(in.data, magic.data, magic.length) == 0)
        return snappy_blocks(
            &snappy, span_of(in.data + XERIAL_HEAD_BYTES, in.length - XERIAL_HEAD_BYTES), sink);
    return snappy_block(&snappy, in, sink);
}

/* lz4 */

#define LZ4_FRAME_VERSION 100

struct lz4 {
    size_t (*create)(void **ret_context, unsigned version);
    size_t (*decompress)(void *context, void *out, size_t *out_size, const void *in,
                         size_t *in_size, const void *options);
    unsigned (*is_error)(size_t code);
    size_t (*free)(void *context);
};

static int lz4_frames(const struct lz4 *lz4, void *context, struct span in, struct sink *sink)
{
    const struct span whole = in;
    size_t hint = 1; /* 0: a frame ended */

    while (in.length > 0 || hint != 0) {
        const int error = sink_room(sink, whole);
        if (error != ERR_NONE)
            return error;
        size_t taken = in.length;
        size_t given = sink->capacity - sink->length;
        const size_t room = given;
        hint = lz4->decompress(context, sink->bytes + sink->length, &given, in.data, &taken, NULL);
        if (lz4->is_error(hint))
            return ERR_CORRUPT_MESSAGE;
        sink->length += given;
        in = span_of(in.data + taken, in.length - taken);
        if (in.length == 0 && hint != 0 && given < room)
            return ERR_CORRUPT_MESSAGE; /* it wants more than there is */
    }
    return ERR_NONE;
}

static int lz4_decompress(void *handle, struct span in, struct sink *sink)
{
    struct lz4 lz4;
    void *context;

    if (!library_find(handle, "LZ4F_createDecompressionContext", &lz4.create) ||
        !library_find(handle, "LZ4F_decompress", &lz4.decompress) ||
        !library_find(handle, "LZ4F_isError", &lz4.is_error) ||
        !library_find(handle, "LZ4F_freeDecompressionContext", &lz4.free))
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    if (lz4.is_error(lz4.create(&context, LZ4_FRAME_VERSION)))
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    const int error = lz4_frames(&lz4, context, in, sink);
    lz4.free(context);
    return error;
}

/* zstd */

struct zstd_in {
    const void *bytes;
    size_t length;
    size_t at;
};

struct zstd_out {
    void *bytes;
    size_t length;
    size_t at;
};

struct zstd {
    void *(*create)(void);
    size_t (*decompress)(void *context, struct zstd_out *out, struct zstd_in *in);
    unsigned (*is_error)(size_t code);
    size_t (*free)(void *context);
};

static int zstd_frames(const struct zstd *zstd, void *context, struct span in, struct sink *sink)
{
    struct zstd_in source = {in.data, in.length, 0};
    size_t hint = 1; /* 0: a frame ended */

    while (source.at < source.length || hint != 0) {
        const int error = sink_room(sink, in);
        if (error != ERR_NONE)
            return error;
        struct zstd_out out = {sink->bytes, sink->capacity, sink->length};
        hint = zstd->decompress(context, &out, &source);
        if (zstd->is_error(hint))
            return ERR_CORRUPT_MESSAGE;
        sink->length = out.at;
        if (source.at == source.length && hint != 0 && out.at < out.length)
            return ERR_CORRUPT_MESSAGE; /* it wants more than there is */
    }
    return ERR_NONE;
}

static int zstd_decompress(void *handle, struct span in, struct sink *sink)
{
    struct zstd zstd;

    if (!library_find(handle, "ZSTD_createDStream", &zstd.create) ||
        !library_find(handle, "ZSTD_decompressStream", &zstd.decompress) ||
        !library_find(handle, "ZSTD_isError", &zstd.is_error) ||
        !library_find(handle, "ZSTD_freeDStream", &zstd.free))
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    void *context = zstd.create();
    if (context == NULL)
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    const int error = zstd_frames(&zstd, context, in, sink);
    zstd.free(context);
    return error;
}

typedef int decompress_function(void *handle, struct span in, struct sink *sink);

static decompress_function *const functions[CODECS] = {
    [CODEC_GZIP] = gzip_decompress,
    [CODEC_SNAPPY] = snappy_decompress,
    [CODEC_LZ4] = lz4_decompress,
    [CODEC_ZSTD] = zstd_decompress,
};

static int decompress(void *context, enum codec codec, struct span in, size_t limit_bytes,
                      struct arena *arena, struct span *ret_out)
{
    /* One byte more: what fills the limit exactly still has to come to its end. */
    struct sink sink = {.limit_bytes = limit_bytes < SIZE_MAX ? limit_bytes + 1 : limit_bytes};

    CHECK(codec > CODEC_NONE && codec < CODECS);
    /* The libraries count in 32 bits; batches are far below. */
    if (in.length == 0 || in.length > INT32_MAX)
        return ERR_CORRUPT_MESSAGE;
    void *handle = library_handle(context, codec);
    if (handle == NULL)
        return ERR_UNSUPPORTED_COMPRESSION_TYPE;
    int error = functions[codec](handle, in, &sink);
    if (error == ERR_NONE && sink.length > limit_bytes)
        error = ERR_MESSAGE_TOO_LARGE;
    if (error == ERR_NONE) {
        const struct span out =
            arena_copy(arena, span_of(sink.length == 0 ? in.data : sink.bytes, sink.length));
        if (span_is_null(out))
            error = ERR_MESSAGE_TOO_LARGE;
        else
            *ret_out = out;
    }
    free(sink.bytes);
    return error;
}

struct codecs codec_libraries_lend(struct codec_libraries *libraries)
{
    return (struct codecs){.decompress = decompress, .context = libraries};
}
