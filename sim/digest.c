/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/digest.h"

static void add(uint64_t *digest, uint64_t value)
{
    uint64_t mixed = (*digest ^ value) * 0x9fb21c651e98df25;
    mixed ^= mixed >> 32;
    *digest = mixed * 0x9e3779b97f4a7c15;
}

static void add_bytes(uint64_t *digest, struct span bytes)
{
    add(digest, bytes.length);
    size_t at = 0;
    for (; at + 8 <= bytes.length; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, 8);
        add(digest, word);
    }
    uint64_t rest = 0;
    for (; at < bytes.length; at++)
        rest = rest << 8 | bytes.data[at];
    add(digest, rest);
}

void digest_event(uint64_t *digest, uint32_t host, const struct event *event, struct span payload)
{
    add(digest, (uint64_t)event->kind << 32 | host);
    add(digest, event->mono_us);
    add(digest, (uint64_t)event->wall_ms);
    if (event->kind == EVENT_COMPLETED) {
        add(digest, event->completed.effect);
        add(digest, (uint64_t)(uint32_t)event->completed.error << 32 ^ event->completed.count);
    }
    add_bytes(digest, payload);
}

void digest_effect(uint64_t *digest, uint32_t host, const struct effect *effect)
{
    add(digest, (uint64_t)effect->kind << 32 | host);
    add(digest, effect->id);
    const struct piece *pieces = NULL;
    uint32_t count = 0;
    if (effect->kind == EFFECT_WRITE) {
        pieces = effect->write.pieces;
        count = effect->write.pieces_count;
        add(digest, effect->write.offset);
    } else if (effect->kind == EFFECT_SEND) {
        pieces = effect->send.pieces;
        count = effect->send.pieces_count;
    }
    for (uint32_t i = 0; i < count; i++) {
        add(digest, pieces[i].offset);
        if (pieces[i].data != NULL)
            add_bytes(digest, span_of(pieces[i].data, pieces[i].length));
    }
}
