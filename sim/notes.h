/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a judge notes of many things of one kind: structs whose first member is the key by which
 * they are found (without padding). They stay where they are, in the order in which they came.
 */
#ifndef SIM_NOTES_H
#define SIM_NOTES_H

#include "core/base/map.h"

struct notes {
    struct map map;
    struct memory *memory;
    size_t size;
    size_t key_bytes;
};

void notes_init(struct notes *notes, struct memory *memory, size_t size, size_t key_bytes);

/* The note of this key; NULL when there is none. */
void *notes_find(const struct notes *notes, const void *key);

/* The same; there is one afterwards, zeroed but for the key when it is new. */
void *notes_get(struct notes *notes, const void *key);

/* The first note, and the one after `note`; NULL at the end. */
void *notes_first(const struct notes *notes);
void *notes_next(const void *note);

/* Takes one out, or all. What notes point at is their owner's. */
void notes_remove(struct notes *notes, void *note);
void notes_clear(struct notes *notes);

#endif
