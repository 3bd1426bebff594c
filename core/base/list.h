/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked lists. */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list's head, or a member's place in a list; a member in no list points at itself. */
struct list {
    struct list *next;
    struct list *previous;
};

/* The object of `type` whose member `member` is at `pointer`. */
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/* Adds `node` (in no list) at the end of `list`. */
static inline void list_append(struct list *list, struct list *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* Adds `node` (in no list) at the beginning of `list`. */
static inline void list_prepend(struct list *list, struct list *node)
{
    list_append(list->next, node);
}

/* Takes `node` out of its list, if it is in one. */
static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* The first node, taken out; NULL when the list is empty. */
static inline struct list *list_pop(struct list *list)
{
    struct list *first = list->next;
    if (first == list)
        return NULL;
    list_remove(first);
    return first;
}

/* Walks `list`; the current node may be removed. `next` is a scratch variable of the same type. */
#define list_each(list, node, next_node)                                      \
    for ((node) = (list)->next, (next_node) = (node)->next; (node) != (list); \
         (node) = (next_node), (next_node) = (node)->next)

#endif
