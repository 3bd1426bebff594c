/* SPDX-License-Identifier: Apache-2.0 */
/* A data folder: loading it, its end, and what its logs share. */
#include "core/log/folder.h"

#include "core/log/checkpoint.h"
#include "core/log/recover.h"
#include "core/log/removal.h"

#define CHECKPOINT_BYTES_MAX ((uint64_t)256 * 1024 * 1024)
#define CLEAN_MARK           SPAN(".kafka_cleanshutdown")
#define DELETED_ID_DIGITS    32

struct folder *folder_new(struct io *io, uint32_t number, struct folder_observer *observer)
{
    struct folder *folder = memory_new(io->memory, struct folder);
    folder->io = io;
    folder->number = number;
    folder->observer = observer;
    folder->open_files_max = FOLDER_OPEN_FILES_MAX;
    folder->indexes_bytes_max = FOLDER_INDEX_BYTES_MAX;
    map_init(&folder->found, io->memory, rng_next(&io->rng));
    list_init(&folder->waiters);
    list_init(&folder->logs);
    list_init(&folder->idle_files);
    list_init(&folder->indexes);
    list_init(&folder->load_queue);
    list_init(&folder->sync_now);
    list_init(&folder->sync_next);
    list_init(&folder->names_next);
    list_init(&folder->checkpoint_now);
    list_init(&folder->checkpoint_next);
    list_init(&folder->removals);
    list_init(&folder->turn.place);
    list_init(&folder->root_turn.place);
    list_init(&folder->checkpoint_turn.place);
    return folder;
}

uint32_t folder_number(const struct folder *folder)
{
    return folder->number;
}

bool folder_is_offline(const struct folder *folder)
{
    return folder->state == FOLDER_OFFLINE;
}

bool folder_was_clean(const struct folder *folder)
{
    return folder->was_clean;
}

uint32_t folder_logs_count(const struct folder *folder)
{
    return folder->logs_count;
}

/* Somebody who is told may let a log go, or make a new one, which is offline from the
 * beginning: the logs that there are now are held until all of them are told. */
static void logs_go_offline(struct folder *folder)
{
    const uint32_t count = folder->logs_count;
    if (count == 0)
        return;
    struct log **logs = memory_take(folder->io->memory, MEMORY_STATE, count * sizeof(struct log *));
    uint32_t held = 0;
    struct list *place;
    struct list *next;
    list_each(&folder->logs, place, next)
    {
        CHECK(held < count);
        logs[held] = container_of(place, struct log, place);
        log_hold(logs[held++]);
    }
    for (uint32_t i = 0; i < held; i++)
        log_go_offline(logs[i]);
    for (uint32_t i = 0; i < held; i++)
        log_release(logs[i]);
    memory_give(folder->io->memory, MEMORY_STATE, logs, count * sizeof(struct log *));
}

void folder_fail(struct folder *folder, const char *what, struct span path)
{
    if (folder->state == FOLDER_OFFLINE)
        return;
    io_log(folder->io, LOG_ERROR, "%s %.*s: the data folder goes offline folder=%u", what,
           SPAN_ARGS(path), folder->number);
    folder->state = FOLDER_OFFLINE;
    timer_cancel(&folder->io->timers, &folder->settle_timer);
    waits_wake(&folder->sync_next, ERR_IO);
    waits_wake(&folder->names_next, ERR_IO);
    logs_go_offline(folder);
    waiters_wake(&folder->checkpoint_next, ERR_KAFKA_STORAGE_ERROR);
    waiters_wake(&folder->waiters, ERR_KAFKA_STORAGE_ERROR);
    folder->observer->offline(folder->observer, folder);
}

static struct found *found_get(struct folder *folder, struct span name)
{
    struct map_node *node = map_find(&folder->found, name);
    if (node != NULL)
        return container_of(node, struct found, node);
    struct found *found =
        memory_take(folder->io->memory, MEMORY_STATE, sizeof(*found) + name.length);
    found->recovery_point = -1;
    found->log_start = -1;
    found->name_length = name.length;
    memcpy(found->name, name.data, name.length);
    map_add(&folder->found, &found->node, span_of(found->name, name.length));
    return found;
}

struct found *folder_claim(struct folder *folder, struct span name, struct log *log)
{
    struct found *found = found_get(folder, name);
    if (found->claimed) {
        /* What was found was the former log's: it went with its folder, and with its lines. */
        found->has_folder = false;
        found->recovery_point = -1;
        found->log_start = -1;
    }
    found->claimed = true;
    found->log = log;
    return found;
}

void folder_unclaim(struct folder *folder, const struct log *log)
{
    struct found *found = container_of(map_find(&folder->found, log->name), struct found, node);
    if (found->log != log)
        return;
    found->log = NULL;
    found->claimed = log->deleted;
    found->has_folder = log->has_folder;
    found->recovery_point = log->recovery_point;
    found->log_start = log->start;
}

bool folder_holds(const struct folder *folder, struct span name)
{
    struct map_node *node = map_find(&folder->found, name);
    if (node == NULL)
        return false;
    const struct found *found = container_of(node, struct found, node);
    if (found->log != NULL)
        return found->log->has_folder && !found->log->deleted;
    return found->has_folder && !found->claimed;
}

struct span folder_unclaimed(const struct folder *folder, uint32_t index)
{
    for (struct map_node *node = folder->found.first; node != NULL; node = map_next(node)) {
        const struct found *found = container_of(node, struct found, node);
        if (found->has_folder && !found->claimed && index-- == 0)
            return span_of(found->name, found->name_length);
    }
    return SPAN_NULL;
}

/* Loads in turn. */
bool folder_load_begin(struct folder *folder, struct recovery *recovery)
{
    if (folder->loads_count == FOLDER_LOADS_MAX) {
        list_append(&folder->load_queue, &recovery->place);
        return false;
    }
    folder->loads_count++;
    recovery->queued = true;
    return true;
}

static void loads_go_on(struct turn_task *task)
{
    struct folder *folder = container_of(task, struct folder, turn);
    while (folder->loads_count < FOLDER_LOADS_MAX) {
        struct list *place = list_pop(&folder->load_queue);
        if (place == NULL)
            return;
        folder->loads_count++;
        struct recovery *recovery = container_of(place, struct recovery, place);
        recovery->queued = true;
        recover_list(recovery->log);
    }
}

void folder_load_end(struct folder *folder)
{
    CHECK(folder->loads_count > 0);
    folder->loads_count--;
    if (!list_empty(&folder->load_queue))
        io_at_turn_end(folder->io, &folder->turn, loads_go_on);
}

/* The folder's own entries. */
static void root_sync_start(struct folder *folder);

static void root_synced(struct op *op, const struct completion *completion)
{
    struct folder *folder = container_of(op, struct folder, sync_op);
    /* Without a descriptor for it nothing was synced, and nothing lost. */
    if (completion->error != ERR_NONE && completion->error != ERR_LIMIT)
        folder_fail(folder, "cannot sync the data folder", SPAN(""));
    waits_wake(&folder->sync_now, completion->error);
    root_sync_start(folder);
}

static void root_sync_start(struct folder *folder)
{
    if (op_busy(&folder->sync_op) || list_empty(&folder->sync_next))
        return;
    struct list *place;
    while ((place = list_pop(&folder->sync_next)) != NULL)
        list_append(&folder->sync_now, place);
    io_sync_folder(folder->io, &folder->sync_op, root_synced, folder->number, SPAN(""));
}

static void root_turn(struct turn_task *task)
{
    root_sync_start(container_of(task, struct folder, root_turn));
}

void folder_sync_root(struct folder *folder, struct wait *wait,
                      void (*done)(struct wait *wait, int error))
{
    wait_add(&folder->sync_next, wait, done);
    io_at_turn_end(folder->io, &folder->root_turn, root_turn);
}

/* Loading. */
static void load_end(struct folder *folder, int error)
{
    if (error != ERR_NONE)
        folder->state = FOLDER_OFFLINE;
    else
        folder->state = FOLDER_SERVING;
    waiters_wake(&folder->waiters, error);
}

static void load_synced(struct wait *wait, int error)
{
    load_end(container_of(wait, struct folder, wait), error);
}

static void mark_removed(struct op *op, const struct completion *completion)
{
    struct folder *folder = container_of(op, struct folder, op);
    if (completion->error != ERR_NONE) {
        load_end(folder, completion->error);
        return;
    }
    folder_sync_root(folder, &folder->wait, load_synced);
}

static void checkpoint_take(struct folder *folder, struct span text, bool is_start)
{
    struct arena arena;
    struct checkpoint_entry *entries;
    uint32_t count;
    arena_init(&arena, folder->io->memory, MEMORY_READ, CHECKPOINT_BYTES_MAX);
    if (checkpoint_read(text, &arena, &entries, &count) != ERR_NONE) {
        io_log(folder->io, LOG_WARN, "a checkpoint is damaged: logs are read whole folder=%u",
               folder->number);
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct span name =
            arena_format(&arena, "%.*s-%d", SPAN_ARGS(entries[i].topic), entries[i].partition);
        if (span_is_null(name) || entries[i].offset < 0 || entries[i].offset > LOG_OFFSET_MAX)
            continue;
        struct found *found = found_get(folder, name);
        if (is_start)
            found->log_start = entries[i].offset;
        else
            found->recovery_point = entries[i].offset;
    }
    arena_reset(&arena);
}

static void starts_got(void *context, int error, struct span text)
{
    struct folder *folder = context;
    if (error == ERR_NONE) {
        checkpoint_take(folder, text, true);
    } else if (error != ERR_NOT_FOUND) {
        load_end(folder, error);
        return;
    }
    if (folder->was_clean)
        io_remove(folder->io, &folder->op, mark_removed, folder->number, CLEAN_MARK);
    else if (folder->found.first == NULL)
        /* Whoever formatted it may have ended before that was durable: it is before anything else
         * is made in it, or a power loss might leave that alone. */
        folder_sync_root(folder, &folder->wait, load_synced);
    else
        load_end(folder, ERR_NONE);
}

static void points_got(void *context, int error, struct span text)
{
    struct folder *folder = context;
    if (error == ERR_NONE) {
        checkpoint_take(folder, text, false);
    } else if (error != ERR_NOT_FOUND) {
        load_end(folder, error);
        return;
    }
    file_get(folder->io, folder->number, LOG_START_CHECKPOINT, CHECKPOINT_BYTES_MAX, starts_got,
             folder);
}

static bool name_ends(struct span name, struct span end)
{
    return name.length >= end.length &&
           memcmp(name.data + name.length - end.length, end.data, end.length) == 0;
}

/* Others' folders may be there: lost+found of a file system, snapshots, what was set aside. Whether
 * they are clean is not ours to say. Topics may begin with a dot, so that alone tells nothing. */
static bool is_partitions(struct span name)
{
    struct span topic;
    int32_t partition;
    return folder_name_split(name, &topic, &partition);
}

/* What a deletion left, NAME.UUID-delete: other folders are somebody's. */
static bool is_deleted(struct span name)
{
    const struct span suffix = SPAN("-delete");
    const size_t tail = 1 + DELETED_ID_DIGITS + suffix.length;
    if (name.length <= tail || !name_ends(name, suffix))
        return false;
    const uint8_t *at = name.data + name.length - tail;
    if (*at++ != '.')
        return false;
    for (size_t i = 0; i < DELETED_ID_DIGITS; i++) {
        const bool is_digit = (at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f');
        if (!is_digit)
            return false;
    }
    return is_partitions(span_of(name.data, name.length - tail));
}

static void listed(struct op *op, const struct completion *completion)
{
    struct folder *folder = container_of(op, struct folder, op);
    if (completion->error != ERR_NONE) {
        load_end(folder, completion->error);
        return;
    }
    for (uint32_t i = 0; i < completion->entries_count; i++) {
        const struct folder_entry *entry = &completion->entries[i];
        if (!entry->is_folder) {
            folder->was_clean |= span_equal(entry->name, CLEAN_MARK);
        } else if (is_deleted(entry->name)) {
            removal_leftover(folder, entry->name);
        } else if (is_partitions(entry->name)) {
            found_get(folder, entry->name)->has_folder = true;
        }
    }
    file_get(folder->io, folder->number, RECOVERY_POINT_CHECKPOINT, CHECKPOINT_BYTES_MAX,
             points_got, folder);
}

void folder_load(struct folder *folder, struct log_waiter *waiter)
{
    CHECK(folder->state == FOLDER_NEW);
    folder->state = FOLDER_LOADING;
    list_append(&folder->waiters, &waiter->place);
    io_list(folder->io, &folder->op, listed, folder->number, SPAN(""));
}

/* The orderly end. */
static void mark_synced(struct wait *wait, int error)
{
    struct folder *folder = container_of(wait, struct folder, wait);
    waiters_wake(&folder->waiters, error);
}

static void mark_closed(struct op *op, const struct completion *completion)
{
    struct folder *folder = container_of(op, struct folder, op);
    (void)completion; /* that it is there is all that it says */
    folder_sync_root(folder, &folder->wait, mark_synced);
}

static void mark_made(struct op *op, const struct completion *completion)
{
    struct folder *folder = container_of(op, struct folder, op);
    if (completion->error == ERR_NONE)
        io_close_file(folder->io, op, mark_closed, folder->mark_file);
    else
        waiters_wake(&folder->waiters, completion->error);
}

/* True when no partition's tail is as a crash may have left it. */
static bool folder_is_clean(const struct folder *folder)
{
    if (folder->was_clean)
        return true;
    for (struct map_node *node = folder->found.first; node != NULL; node = map_next(node)) {
        const struct found *found = container_of(node, struct found, node);
        if (found->has_folder && (found->log == NULL || !found->log->recovered))
            return false;
    }
    return true;
}

static void checkpointed(struct log_waiter *waiter, int error)
{
    struct folder *folder = container_of(waiter, struct folder, close_waiter);
    if (error != ERR_NONE || !folder_is_clean(folder)) {
        waiters_wake(&folder->waiters, error);
        return;
    }
    folder->mark_file = io_new_file(folder->io);
    io_open(folder->io, &folder->op, mark_made, folder->mark_file, OPEN_CREATE, folder->number,
            CLEAN_MARK);
}

/* Once no read goes on. */
static void close_begin(struct folder *folder)
{
    if (!folder->closing || folder->reads_given_up > 0 || folder->close_waiter.wake != NULL)
        return;
    folder->close_waiter.wake = checkpointed;
    folder_checkpoint(folder, &folder->close_waiter);
}

void folder_close(struct folder *folder, struct log_waiter *waiter)
{
    list_append(&folder->waiters, &waiter->place);
    timer_cancel(&folder->io->timers, &folder->settle_timer);
    folder->closing = true;
    close_begin(folder);
}

void folder_read_given_up(struct folder *folder)
{
    folder->reads_given_up++;
}

void folder_read_ended(struct folder *folder)
{
    folder->reads_given_up--;
    close_begin(folder);
}

void folder_free(struct folder *folder)
{
    struct memory *memory = folder->io->memory;
    timer_cancel(&folder->io->timers, &folder->settle_timer);
    list_remove(&folder->turn.place);
    list_remove(&folder->root_turn.place);
    list_remove(&folder->checkpoint_turn.place);
    removals_free(folder);
    struct map_node *node = folder->found.first;
    while (node != NULL) {
        struct found *found = container_of(node, struct found, node);
        node = map_next(node);
        map_remove(&folder->found, &found->node);
        memory_give(memory, MEMORY_STATE, found, sizeof(*found) + found->name_length);
    }
    map_clear(&folder->found);
    memory_give(memory, MEMORY_STATE, folder, sizeof(*folder));
}
