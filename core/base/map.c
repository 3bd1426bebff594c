/* SPDX-License-Identifier: Apache-2.0 */
/* uthash keeps members in insertion order beside its table, which is why it serves here. */
#include <stdint.h>
#include <stdlib.h>

#define uthash_malloc(size)      memory_take(map->memory, MEMORY_STATE, (size))
#define uthash_free(block, size) memory_give(map->memory, MEMORY_STATE, (block), (size))
#define uthash_fatal(message)    abort()

#include "core/base/map.h"

#include "core/base/endian.h"

#define SIP_ROUND                      \
    do {                               \
        v0 += v1;                      \
        v1 = rotate_left(v1, 13) ^ v0; \
        v0 = rotate_left(v0, 32);      \
        v2 += v3;                      \
        v3 = rotate_left(v3, 16) ^ v2; \
        v0 += v3;                      \
        v3 = rotate_left(v3, 21) ^ v0; \
        v2 += v1;                      \
        v1 = rotate_left(v1, 17) ^ v2; \
        v2 = rotate_left(v2, 32);      \
    } while (0)

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* What is left of a key when no whole word is: fewer than eight bytes. */
static uint64_t tail_get(const uint8_t *at, size_t length)
{
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012), the seed being both halves of its key: names come
 * from clients, who must not be able to choose colliding ones. */
static unsigned hash_of_name(const struct map *map, struct span key)
{
    uint64_t v0 = map->seed ^ UINT64_C(0x736f6d6570736575);
    uint64_t v1 = ~map->seed ^ UINT64_C(0x646f72616e646f6d);
    uint64_t v2 = map->seed ^ UINT64_C(0x6c7967656e657261);
    uint64_t v3 = ~map->seed ^ UINT64_C(0x7465646279746573);
    size_t at = 0;

    for (; key.length - at >= 8; at += 8) {
        const uint64_t word = get_le64(key.data + at);
        v3 ^= word;
        SIP_ROUND;
        v0 ^= word;
    }
    const uint64_t tail = tail_get(key.data + at, key.length - at) | ((uint64_t)key.length << 56);
    v3 ^= tail;
    SIP_ROUND;
    v0 ^= tail;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return (unsigned)(v0 ^ v1 ^ v2 ^ v3);
}

/* Multiplied by 2^64 over the golden ratio, word by word (Knuth, volume 3, 6.4). */
static unsigned hash_of_trusted(const struct map *map, struct span key)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = map->seed ^ key.length;
    size_t at = 0;

    for (; key.length - at >= 8; at += 8) {
        hash = (hash ^ get_le64(key.data + at)) * factor;
        hash ^= hash >> 32;
    }
    if (at < key.length) {
        hash = (hash ^ tail_get(key.data + at, key.length - at)) * factor;
        hash ^= hash >> 32;
    }
    return (unsigned)hash;
}

static unsigned map_hash(const struct map *map, struct span key)
{
    return map->is_trusted ? hash_of_trusted(map, key) : hash_of_name(map, key);
}

void map_init(struct map *map, struct memory *memory, uint64_t seed)
{
    *map = (struct map){.memory = memory, .seed = seed};
}

void map_init_trusted(struct map *map, struct memory *memory, uint64_t seed)
{
    *map = (struct map){.memory = memory, .seed = seed, .is_trusted = true};
}

struct map_node *map_find(const struct map *map, struct span key)
{
    struct map_node *found = NULL;

    if (map->first == NULL)
        return NULL;
    HASH_FIND_BYHASHVALUE(hh, map->first, key.data, key.length, map_hash(map, key), found);
    return found;
}

void map_add(struct map *map, struct map_node *node, struct span key)
{
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->first, key.data, (unsigned)key.length, map_hash(map, key),
                                node);
}

void map_remove(struct map *map, struct map_node *node)
{
    HASH_DELETE(hh, map->first, node);
}

uint32_t map_count(const struct map *map)
{
    return HASH_CNT(hh, map->first);
}

struct map_node *map_next(const struct map_node *node)
{
    return node->hh.next;
}

void map_clear(struct map *map)
{
    HASH_CLEAR(hh, map->first);
}
