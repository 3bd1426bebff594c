/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define uthash_malloc(size)      memory_take(notes->memory, MEMORY_STATE, (size))
#define uthash_free(block, size) memory_give(notes->memory, MEMORY_STATE, (block), (size))
#define uthash_fatal(message)    abort()

#include <uthash.h>

#include "core/base/endian.h"
#include "sim/notes.h"

/* uthash keeps members in insertion order beside its table. */
struct note {
    UT_hash_handle hh;
    max_align_t data[];
};

/* Keys are the judges' own and need no defence against who would choose colliding ones; judges ask
 * several times at each step, so it has to be quick. The factor is 2^64 over the golden ratio. */
static unsigned hash_of(const uint8_t *key, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = length;
    size_t at = 0;
    for (; length - at >= 8; at += 8) {
        hash = (hash ^ get_le64(key + at)) * factor;
        hash ^= hash >> 32;
    }
    for (; at < length; at++)
        hash = (hash ^ key[at]) * factor;
    return (unsigned)(hash ^ hash >> 32);
}

void notes_init(struct notes *notes, struct memory *memory, size_t size, size_t key_bytes)
{
    *notes = (struct notes){.memory = memory, .size = size, .key_bytes = key_bytes};
}

static void *data_of(struct note *note)
{
    return note == NULL ? NULL : note->data;
}

static struct note *note_of(const void *data)
{
    return (struct note *)((uintptr_t)data - offsetof(struct note, data));
}

static struct note *find(const struct notes *notes, const void *key, unsigned hash)
{
    struct note *found = NULL;
    if (notes->first != NULL)
        HASH_FIND_BYHASHVALUE(hh, notes->first, key, notes->key_bytes, hash, found);
    return found;
}

void *notes_find(const struct notes *notes, const void *key)
{
    return data_of(find(notes, key, hash_of(key, notes->key_bytes)));
}

void *notes_get(struct notes *notes, const void *key)
{
    const unsigned hash = hash_of(key, notes->key_bytes);
    struct note *note = find(notes, key, hash);
    if (note != NULL)
        return note->data;
    note = memory_take(notes->memory, MEMORY_STATE, sizeof(*note) + notes->size);
    memcpy(note->data, key, notes->key_bytes);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, notes->first, note->data, (unsigned)notes->key_bytes, hash,
                                note);
    return note->data;
}

void *notes_first(const struct notes *notes)
{
    return data_of(notes->first);
}

void *notes_next(const void *note)
{
    return data_of(note_of(note)->hh.next);
}

void notes_remove(struct notes *notes, void *data)
{
    struct note *note = note_of(data);
    HASH_DELETE(hh, notes->first, note);
    memory_give(notes->memory, MEMORY_STATE, note, sizeof(*note) + notes->size);
}

void notes_clear(struct notes *notes)
{
    while (notes->first != NULL)
        notes_remove(notes, data_of(notes->first));
}
