/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/effects.h"

struct effect listen_effect(uint32_t listener, const char *host, uint16_t port)
{
    struct effect effect = {.kind = EFFECT_LISTEN};
    effect.listen.listener = listener;
    effect.listen.host = span_text(host);
    effect.listen.port = port;
    return effect;
}

struct effect connect_effect(const char *host, uint16_t port)
{
    struct effect effect = {.kind = EFFECT_CONNECT};
    effect.connect.host = span_text(host);
    effect.connect.port = port;
    return effect;
}

struct effect watch_effect(uint64_t connection)
{
    return (struct effect){.kind = EFFECT_WATCH, .connection = connection};
}

struct effect receive_effect(uint64_t connection, void *data, size_t length)
{
    struct effect effect = {.kind = EFFECT_RECEIVE};
    effect.receive.connection = connection;
    effect.receive.data = data;
    effect.receive.length = length;
    return effect;
}

struct effect send_effect(uint64_t connection, const struct piece *pieces, uint32_t count)
{
    struct effect effect = {.kind = EFFECT_SEND};
    effect.send.connection = connection;
    effect.send.pieces = pieces;
    effect.send.pieces_count = count;
    effect.send.until_us = UINT64_MAX;
    return effect;
}

struct effect close_effect(uint64_t connection)
{
    return (struct effect){.kind = EFFECT_CLOSE, .connection = connection};
}

struct effect open_effect(uint64_t file, enum open_mode mode, const char *path)
{
    struct effect effect = {.kind = EFFECT_OPEN};
    effect.open.file = file;
    effect.open.mode = mode;
    effect.open.path = span_text(path);
    return effect;
}

struct effect write_effect(uint64_t file, uint64_t offset, const struct piece *pieces,
                           uint32_t count)
{
    struct effect effect = {.kind = EFFECT_WRITE};
    effect.write.file = file;
    effect.write.offset = offset;
    effect.write.pieces = pieces;
    effect.write.pieces_count = count;
    return effect;
}

struct effect read_effect(uint64_t file, uint64_t offset, void *data, size_t length)
{
    struct effect effect = {.kind = EFFECT_READ};
    effect.read.file = file;
    effect.read.offset = offset;
    effect.read.data = data;
    effect.read.length = length;
    return effect;
}

struct effect file_effect(enum effect_kind kind, uint64_t file)
{
    return (struct effect){.kind = kind, .file = file};
}

struct effect range_effect(enum effect_kind kind, uint64_t file, uint64_t offset, uint64_t length)
{
    struct effect effect = {.kind = kind};
    effect.range.file = file;
    effect.range.offset = offset;
    effect.range.length = length;
    return effect;
}

struct effect path_effect(enum effect_kind kind, const char *path)
{
    struct effect effect = {.kind = kind};
    effect.path.path = span_text(path);
    return effect;
}

struct effect rename_effect(const char *path, const char *path_to)
{
    struct effect effect = path_effect(EFFECT_RENAME, path);
    effect.path.path_to = span_text(path_to);
    return effect;
}
