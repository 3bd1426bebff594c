/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and folders that go: renamed at once, so that a restart does not take them for the log's,
 * and removed after a while, since somebody may be reading them (file.delete.delay.ms).
 */
#include "core/log/removal.h"

#include "core/log/folder_internal.h"

struct removal {
    struct list place; /* in folder->removals */
    struct folder *folder;
    struct op op;
    struct wait wait;
    struct timer timer;
    struct log *log; /* whose refs keep it while its name is used; NULL later */
    int64_t delay_ms;
    struct span path;
    struct span path_aside;
    bool renamed; /* its name is free again */
    size_t size;
    uint8_t text[];
};

static struct removal *removal_new(struct folder *folder, struct span path, struct span path_aside,
                                   int64_t delay_ms)
{
    const size_t size = sizeof(struct removal) + path.length + path_aside.length;
    struct removal *removal = memory_take(folder->io->memory, MEMORY_STATE, size);
    removal->folder = folder;
    removal->delay_ms = delay_ms;
    removal->size = size;
    removal->path = span_of(removal->text, path.length);
    removal->path_aside = span_of(removal->text + path.length, path_aside.length);
    if (path.length > 0)
        memcpy(removal->text, path.data, path.length);
    memcpy(removal->text + path.length, path_aside.data, path_aside.length);
    list_init(&removal->place);
    list_append(&folder->removals, &removal->place);
    return removal;
}

static void removal_free(struct removal *removal)
{
    list_remove(&removal->place);
    timer_cancel(&removal->folder->io->timers, &removal->timer);
    memory_give(removal->folder->io->memory, MEMORY_STATE, removal, removal->size);
}

static void removed(struct op *op, const struct completion *completion)
{
    struct removal *removal = container_of(op, struct removal, op);
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND)
        io_log(removal->folder->io, LOG_WARN, "cannot remove; the next start tries again path=%.*s",
               SPAN_ARGS(removal->path_aside));
    removal_free(removal);
}

static void removal_due(struct timer *timer)
{
    struct removal *removal = container_of(timer, struct removal, timer);
    io_remove(removal->folder->io, &removal->op, removed, removal->folder->number,
              removal->path_aside);
}

static void name_is_free(struct removal *removal)
{
    removal->renamed = true;
    waits_wake(&removal->folder->names_next, ERR_NONE);
}

static void removed_in_place(struct op *op, const struct completion *completion)
{
    name_is_free(container_of(op, struct removal, op));
    removed(op, completion);
}

static void renamed(struct op *op, const struct completion *completion)
{
    struct removal *removal = container_of(op, struct removal, op);
    struct folder *folder = removal->folder;
    if (completion->error == ERR_NO_SPACE) {
        /* The longer name needs a block that a full disk has not. */
        io_remove(folder->io, op, removed_in_place, folder->number, removal->path);
        return;
    }
    name_is_free(removal);
    if (completion->error == ERR_NOT_FOUND) {
        removal_free(removal);
        return;
    }
    if (completion->error != ERR_NONE) {
        folder_fail(folder, "cannot rename", removal->path);
        removal_free(removal);
        return;
    }
    timer_set(&folder->io->timers, &removal->timer,
              timer_after_ms(folder->io->now_us, removal->delay_ms), removal_due);
}

void removal_start(struct folder *folder, struct span path, struct span path_aside,
                   int64_t delay_ms)
{
    struct removal *removal = removal_new(folder, path, path_aside, delay_ms);
    io_rename(folder->io, &removal->op, renamed, folder->number, removal->path,
              removal->path_aside);
}

bool removal_holds_name(const struct folder *folder, struct span path)
{
    for (const struct list *at = folder->removals.next; at != &folder->removals; at = at->next) {
        const struct removal *removal =
            (const struct removal *)((const char *)at - offsetof(struct removal, place));
        if (!removal->renamed && span_equal(removal->path, path))
            return true;
    }
    return false;
}

void removal_leftover(struct folder *folder, struct span path)
{
    struct removal *removal = removal_new(folder, SPAN_NULL, path, 0);
    io_remove(folder->io, &removal->op, removed, folder->number, removal->path_aside);
}

void removals_free(struct folder *folder)
{
    while (!list_empty(&folder->removals))
        removal_free(container_of(folder->removals.next, struct removal, place));
}
