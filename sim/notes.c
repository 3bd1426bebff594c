/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/notes.h"

#include <stddef.h>

struct note {
    struct map_node node;
    max_align_t data[];
};

void notes_init(struct notes *notes, struct memory *memory, size_t size, size_t key_bytes)
{
    *notes = (struct notes){.memory = memory, .size = size, .key_bytes = key_bytes};
    map_init_trusted(&notes->map, memory, 0);
}

static void *data_of(struct map_node *node)
{
    return node == NULL ? NULL : (struct note *)(void *)node + 1;
}

static struct note *note_of(const void *data)
{
    return (struct note *)(uintptr_t)data - 1;
}

void *notes_find(const struct notes *notes, const void *key)
{
    return data_of(map_find(&notes->map, span_of(key, notes->key_bytes)));
}

void *notes_get(struct notes *notes, const void *key)
{
    void *found = notes_find(notes, key);
    if (found != NULL)
        return found;
    struct note *note = memory_take(notes->memory, MEMORY_STATE, sizeof(*note) + notes->size);
    memcpy(note->data, key, notes->key_bytes);
    map_add(&notes->map, &note->node, span_of(note->data, notes->key_bytes));
    return note->data;
}

void *notes_first(const struct notes *notes)
{
    return data_of(notes->map.first);
}

void *notes_next(const void *note)
{
    return data_of(map_next(&note_of(note)->node));
}

void notes_remove(struct notes *notes, void *note)
{
    map_remove(&notes->map, &note_of(note)->node);
    memory_give(notes->memory, MEMORY_STATE, note_of(note), sizeof(struct note) + notes->size);
}

void notes_clear(struct notes *notes)
{
    while (notes->map.first != NULL)
        notes_remove(notes, data_of(notes->map.first));
}
