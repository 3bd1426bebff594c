/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/digest.h"

#include "core/base/endian.h"

/* 2^64 divided by the golden ratio, made odd. */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

/* Long runs are taken four words at a time, so that four multiplications are under way at once. */
#define LANES       4
#define LANES_BYTES ((size_t)LANES * 8)

/* For a given word each state leads to another one: states that differ stay different for as long
 * as the words are the same. The shift brings differences down that multiplying only moves up. */
static inline uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * FACTOR;
    return state ^ (state >> 32);
}

void trace_digest_init(struct trace_digest *digest)
{
    /* Where the digits of pi begin after the point; the lanes have those that follow. */
    digest->value = UINT64_C(0x243f6a8885a308d3);
}

void trace_digest_number(struct trace_digest *digest, uint64_t number)
{
    digest->value = mix(digest->value, number);
}

/* Up to seven bytes as a word; how many there are was mixed in before. */
static uint64_t last_word(const uint8_t *at, size_t length)
{
    uint64_t word = 0;
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

void trace_digest_bytes(struct trace_digest *digest, struct span bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.length;
    uint64_t state = mix(digest->value, left);
    if (left >= LANES_BYTES) {
        uint64_t a = state ^ UINT64_C(0x13198a2e03707344);
        uint64_t b = state ^ UINT64_C(0xa4093822299f31d0);
        uint64_t c = state ^ UINT64_C(0x082efa98ec4e6c89);
        uint64_t d = state ^ UINT64_C(0x452821e638d01377);
        for (; left >= LANES_BYTES; at += LANES_BYTES, left -= LANES_BYTES) {
            a = mix(a, get_le64(at));
            b = mix(b, get_le64(at + 8));
            c = mix(c, get_le64(at + 16));
            d = mix(d, get_le64(at + 24));
        }
        state = mix(mix(mix(mix(state, a), b), c), d);
    }
    for (; left >= 8; at += 8, left -= 8)
        state = mix(state, get_le64(at));
    if (left > 0)
        state = mix(state, last_word(at, left));
    digest->value = state;
}

/* Two small numbers in one word. */
static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static void add_completion(struct trace_digest *digest, const struct completion *completion)
{
    trace_digest_number(digest, completion->effect);
    trace_digest_number(digest, pair((uint32_t)completion->error, completion->entries_count));
    trace_digest_number(digest, completion->count);
    for (uint32_t i = 0; i < completion->entries_count; i++) {
        const struct folder_entry *entry = &completion->entries[i];
        trace_digest_bytes(digest, entry->name);
        trace_digest_number(digest, entry->size_bytes);
        trace_digest_number(digest, entry->is_folder);
    }
}

void trace_digest_event(struct trace_digest *digest, const struct event *event, struct span payload)
{
    trace_digest_number(digest, (uint64_t)event->kind);
    trace_digest_number(digest, event->mono_us);
    trace_digest_number(digest, (uint64_t)event->wall_ms);
    switch (event->kind) {
    case EVENT_START:
        trace_digest_bytes(digest, span_of(event->start.entropy, START_ENTROPY_BYTES));
        break;
    case EVENT_ACCEPTED:
        trace_digest_number(digest, event->accepted.connection);
        trace_digest_number(digest, event->accepted.listener);
        trace_digest_bytes(digest, event->accepted.peer);
        break;
    case EVENT_COMPLETED:
        add_completion(digest, &event->completed);
        trace_digest_bytes(digest, payload);
        break;
    case EVENT_TIMER:
    case EVENT_STOP:
    case EVENT_TURN_END:
        break;
    }
}

static void add_pieces(struct trace_digest *digest, const struct piece *pieces, uint32_t count)
{
    trace_digest_number(digest, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct piece *piece = &pieces[i];
        const bool in_memory = piece->data != NULL;
        trace_digest_number(digest, in_memory);
        if (in_memory) {
            trace_digest_bytes(digest, span_of(piece->data, piece->length));
            continue;
        }
        trace_digest_number(digest, piece->file);
        trace_digest_number(digest, piece->offset);
        trace_digest_number(digest, piece->length);
    }
}

/* A range of a file, as READ, TRUNCATE and RESERVE name it. */
static void add_range(struct trace_digest *digest, uint64_t file, uint64_t offset, uint64_t length)
{
    trace_digest_number(digest, file);
    trace_digest_number(digest, offset);
    trace_digest_number(digest, length);
}

void trace_digest_effect(struct trace_digest *digest, const struct effect *effect)
{
    trace_digest_number(digest, (uint64_t)effect->kind);
    trace_digest_number(digest, effect->id);
    switch (effect->kind) {
    case EFFECT_LISTEN:
        trace_digest_number(digest, pair(effect->listen.listener, effect->listen.port));
        trace_digest_bytes(digest, effect->listen.host);
        break;
    case EFFECT_WATCH:
    case EFFECT_CLOSE:
        trace_digest_number(digest, effect->connection);
        break;
    case EFFECT_RECEIVE:
        trace_digest_number(digest, effect->receive.connection);
        trace_digest_number(digest, effect->receive.length);
        break;
    case EFFECT_SEND:
        trace_digest_number(digest, effect->send.connection);
        add_pieces(digest, effect->send.pieces, effect->send.pieces_count);
        trace_digest_number(digest, effect->send.until_us);
        break;
    case EFFECT_OPEN:
        trace_digest_number(digest, effect->open.file);
        trace_digest_number(digest, pair((uint32_t)effect->open.mode, effect->open.folder));
        trace_digest_bytes(digest, effect->open.path);
        break;
    case EFFECT_CLOSE_FILE:
    case EFFECT_SYNC:
        trace_digest_number(digest, effect->file);
        break;
    case EFFECT_READ:
        add_range(digest, effect->read.file, effect->read.offset, effect->read.length);
        break;
    case EFFECT_WRITE:
        trace_digest_number(digest, effect->write.file);
        trace_digest_number(digest, effect->write.offset);
        add_pieces(digest, effect->write.pieces, effect->write.pieces_count);
        break;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        add_range(digest, effect->range.file, effect->range.offset, effect->range.length);
        break;
    case EFFECT_LIST:
    case EFFECT_MAKE_FOLDER:
    case EFFECT_RENAME:
    case EFFECT_REMOVE:
    case EFFECT_SYNC_FOLDER:
        trace_digest_number(digest, effect->path.folder);
        trace_digest_bytes(digest, effect->path.path);
        trace_digest_bytes(digest, effect->path.path_to);
        break;
    case EFFECT_TIMER:
        trace_digest_number(digest, effect->due_us);
        break;
    case EFFECT_LOG:
    case EFFECT_STOPPED:
        trace_digest_number(digest, pair((uint32_t)effect->log.level, effect->log.failed));
        trace_digest_bytes(digest, effect->log.text);
        break;
    case EFFECT_READY:
        break;
    case EFFECT_CONNECT:
        trace_digest_number(digest, effect->connect.port);
        trace_digest_bytes(digest, effect->connect.host);
        break;
    }
}
