/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/effect_digest.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

uint64_t effect_digest(const struct effect *effect)
{
    uint64_t hash = 0xcbf29ce484222325;
    const struct piece *pieces = NULL;
    uint32_t count = 0;
    if (effect->kind == EFFECT_WRITE) {
        pieces = effect->write.pieces;
        count = effect->write.pieces_count;
    } else if (effect->kind == EFFECT_SEND) {
        pieces = effect->send.pieces;
        count = effect->send.pieces_count;
    } else if (effect->kind == EFFECT_OPEN) {
        hash = hash_bytes(hash, effect->open.path.data, effect->open.path.length);
    } else if (effect->kind >= EFFECT_LIST && effect->kind <= EFFECT_SYNC_FOLDER) {
        hash = hash_bytes(hash, effect->path.path.data, effect->path.path.length);
        hash = hash_bytes(hash, effect->path.path_to.data, effect->path.path_to.length);
    }
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_bytes(hash, &pieces[i], sizeof(pieces[i]));
        if (pieces[i].data != NULL)
            hash = hash_bytes(hash, pieces[i].data, pieces[i].length);
    }
    return hash;
}
