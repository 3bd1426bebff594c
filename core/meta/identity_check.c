/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the identities of all data folders one after the other, then gives one to those that are
 * new:
 *
 *     open ──▶ read ──▶ close ──▶ (next folder) … ──▶ compare ──▶ (first new folder)
 *       └ no such file ▶ list ──▶ (next folder)
 *     (new folder) ──▶ open ──▶ write ──▶ sync ──▶ close ──▶ rename ──▶ sync folder ──▶ (next)
 */
#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/uuid.h"
#include "core/meta/identity.h"
#include "core/wire/error.h"

#define IDENTITY_PART IDENTITY_FILE ".part"

struct folder_identity {
    bool is_new;
    struct identity identity;
};

struct identity_check {
    struct io *io;
    const struct span *paths;
    uint32_t count;
    struct identity_wish wish;
    struct log_waiter *waiter;
    struct folder_identity *folders;
    char cluster_id[IDENTITY_CLUSTER_ID_MAX + 1];
    uint32_t current;
    struct op op;
    uint64_t file;
    int error;
    char text[IDENTITY_BYTES_MAX];
    size_t text_length;
    struct piece piece;
};

static struct identity_check *check_of(struct op *op)
{
    return container_of(op, struct identity_check, op);
}

struct identity_check *identity_check_new(struct io *io, const struct span *folders,
                                          uint32_t folders_count, const struct identity_wish *wish)
{
    CHECK(folders_count > 0 && wish->cluster_id.length <= IDENTITY_CLUSTER_ID_MAX);
    struct identity_check *check = memory_new(io->memory, struct identity_check);
    check->io = io;
    check->paths = folders;
    check->count = folders_count;
    check->wish = *wish;
    check->folders = memory_take(io->memory, MEMORY_STATE, folders_count * sizeof(*check->folders));
    return check;
}

void identity_check_free(struct identity_check *check)
{
    if (check == NULL)
        return;
    memory_give(check->io->memory, MEMORY_STATE, check->folders,
                check->count * sizeof(*check->folders));
    memory_give(check->io->memory, MEMORY_STATE, check, sizeof(*check));
}

struct uuid identity_directory_id(const struct identity_check *check, uint32_t folder)
{
    CHECK(folder < check->count);
    return check->folders[folder].identity.directory_id;
}

struct span identity_cluster_id(const struct identity_check *check)
{
    return span_text(check->cluster_id);
}

bool identity_was_new(const struct identity_check *check, uint32_t folder)
{
    CHECK(folder < check->count);
    return check->folders[folder].is_new;
}

static struct span current_path(const struct identity_check *check)
{
    return check->paths[check->current];
}

static void refuse(struct identity_check *check, const char *what, const char *mend)
{
    io_log(check->io, LOG_ERROR, "a data folder is refused: file=%.*s/%s reason=\"%s\" mend=\"%s\"",
           SPAN_ARGS(current_path(check)), IDENTITY_FILE, what, mend);
    check->waiter->wake(check->waiter, ERR_INVALID_RECORD);
}

static void refuse_access(struct identity_check *check, const char *what, int error)
{
    io_log(check->io, LOG_ERROR,
           "a data folder cannot be used: file=%.*s/%s operation=%s error=%s mend=\"see to the "
           "folder's disk and permissions, or take it out of log.dirs\"",
           SPAN_ARGS(current_path(check)), IDENTITY_FILE, what, error_name(error));
    check->waiter->wake(check->waiter, error);
}

/* Second half: new folders get an identity. */

static void write_next(struct identity_check *check);

static void folder_synced(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (completion->error != ERR_NONE) {
        refuse_access(check, "sync", completion->error);
        return;
    }
    io_log(check->io, LOG_INFO, "a data folder was formatted: folder=%.*s cluster=%s node=%d",
           SPAN_ARGS(current_path(check)), check->cluster_id, check->wish.node_id);
    check->current++;
    write_next(check);
}

static void part_renamed(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (completion->error != ERR_NONE)
        refuse_access(check, "rename", completion->error);
    else
        io_sync_folder(check->io, op, folder_synced, check->current, SPAN(""));
}

static void part_closed(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (check->error == ERR_NONE)
        check->error = completion->error;
    if (check->error != ERR_NONE)
        refuse_access(check, "write", check->error);
    else
        io_rename(check->io, op, part_renamed, check->current, SPAN(IDENTITY_PART),
                  SPAN(IDENTITY_FILE));
}

static void part_synced(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    check->error = completion->error;
    io_close_file(check->io, op, part_closed, check->file);
}

static void part_written(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    check->error = completion->error;
    if (completion->error != ERR_NONE)
        io_close_file(check->io, op, part_closed, check->file);
    else
        io_sync(check->io, op, part_synced, check->file);
}

static void part_write(struct identity_check *check)
{
    check->piece =
        (struct piece){.data = (const uint8_t *)check->text, .length = check->text_length};
    io_write(check->io, &check->op, part_written, check->file, 0, &check->piece, 1);
}

static void part_cut(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    check->error = completion->error;
    if (completion->error != ERR_NONE)
        io_close_file(check->io, op, part_closed, check->file);
    else
        part_write(check);
}

static void part_opened(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (completion->error != ERR_NONE)
        refuse_access(check, "create", completion->error);
    else if (completion->count > 0) /* a process ended while it wrote here */
        io_truncate(check->io, op, part_cut, check->file, 0);
    else
        part_write(check);
}

/* Formats the next new folder; done after the last. */
static void write_next(struct identity_check *check)
{
    while (check->current < check->count && !check->folders[check->current].is_new)
        check->current++;
    if (check->current == check->count) {
        check->waiter->wake(check->waiter, ERR_NONE);
        return;
    }
    struct identity *identity = &check->folders[check->current].identity;
    *identity = (struct identity){.node_id = check->wish.node_id,
                                  .directory_id = rng_uuid(&check->io->rng)};
    memcpy(identity->cluster_id, check->cluster_id, sizeof(check->cluster_id));
    check->text_length = identity_print(identity, check->text, sizeof(check->text));
    CHECK(check->text_length < sizeof(check->text));
    check->file = io_new_file(check->io);
    io_open(check->io, &check->op, part_opened, check->file, OPEN_CREATE, check->current,
            SPAN(IDENTITY_PART));
}

/* The current folder has, or may be given, an identity. */
static bool may_be_new(struct identity_check *check, bool is_new)
{
    if (is_new && !check->wish.formats) {
        refuse(check, "the folder is not formatted, and this is a node of a cluster",
               "run chronik format with the cluster's id, --ignore-formatted if other folders are");
        return false;
    }
    if (!is_new && check->wish.all_new) {
        refuse(check, "the folder is formatted already",
               "to format those that are not, if there are any, say --ignore-formatted");
        return false;
    }
    return true;
}

/* Every identity was read: do they fit one another, and us? */
static bool identities_fit(struct identity_check *check)
{
    const struct span wanted = check->wish.cluster_id;
    if (wanted.length > 0)
        memcpy(check->cluster_id, wanted.data, wanted.length);
    for (check->current = 0; check->current < check->count; check->current++) {
        const struct folder_identity *folder = &check->folders[check->current];
        if (!may_be_new(check, folder->is_new))
            return false;
        if (folder->is_new)
            continue;
        if (folder->identity.node_id != check->wish.node_id) {
            refuse(check, "it belongs to another node.id than this node's",
                   "set node.id to the one in the file, or log.dirs to this node's own folders");
            return false;
        }
        if (check->cluster_id[0] == 0)
            memcpy(check->cluster_id, folder->identity.cluster_id, sizeof(check->cluster_id));
        if (!span_equal(span_text(check->cluster_id), span_text(folder->identity.cluster_id))) {
            refuse(check,
                   wanted.length > 0 ? "it belongs to another cluster"
                                     : "it belongs to another cluster than the folders before it",
                   "list only folders of one cluster in log.dirs");
            return false;
        }
        for (uint32_t i = 0; i < check->current; i++) {
            if (!check->folders[i].is_new && uuid_equal(check->folders[i].identity.directory_id,
                                                        folder->identity.directory_id)) {
                refuse(check, "another folder has the same directory.id",
                       "list each folder once in log.dirs, and no copies");
                return false;
            }
        }
    }
    return true;
}

static void all_read(struct identity_check *check)
{
    if (!identities_fit(check))
        return;
    if (check->cluster_id[0] == 0)
        format_text(check->cluster_id, sizeof(check->cluster_id), "%s",
                    uuid_text(rng_uuid(&check->io->rng)).text);
    check->current = 0;
    write_next(check);
}

/* First half: what the folders say. */

static void read_next(struct identity_check *check);

/* What a folder that nobody used yet may hold: the lock of this process, what the file system put
 * there, and an identity that was never completed. */
static bool is_nobodys(struct span name)
{
    return (name.length > 0 && name.data[0] == '.') || span_equal(name, SPAN("lost+found")) ||
           span_equal(name, SPAN(IDENTITY_PART));
}

static void folder_listed(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (completion->error != ERR_NONE) {
        refuse_access(check, "list", completion->error);
        return;
    }
    for (uint32_t i = 0; i < completion->entries_count; i++) {
        if (!is_nobodys(completion->entries[i].name)) {
            refuse(check, "the file is missing, but the folder is not empty",
                   "bring the file back, or set log.dirs to an empty folder");
            return;
        }
    }
    check->folders[check->current].is_new = true;
    check->current++;
    read_next(check);
}

static void file_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* nothing was written: closing has nothing to lose */
    struct identity_check *check = check_of(op);
    struct identity *identity = &check->folders[check->current].identity;
    const char *why;
    if (check->error != ERR_NONE) {
        refuse_access(check, "read", check->error);
        return;
    }
    if (identity_parse(span_of(check->text, check->text_length), identity, &why) != ERR_NONE) {
        refuse(check, why, "bring the file back from a copy");
        return;
    }
    check->current++;
    read_next(check);
}

static void file_read(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    check->error = completion->error;
    check->text_length = completion->count;
    io_close_file(check->io, op, file_closed, check->file);
}

static void file_opened(struct op *op, const struct completion *completion)
{
    struct identity_check *check = check_of(op);
    if (completion->error == ERR_NOT_FOUND)
        io_list(check->io, op, folder_listed, check->current, SPAN(""));
    else if (completion->error != ERR_NONE)
        refuse_access(check, "open", completion->error);
    else
        io_read(check->io, op, file_read, check->file, 0, (uint8_t *)check->text,
                sizeof(check->text));
}

static void read_next(struct identity_check *check)
{
    if (check->current == check->count) {
        all_read(check);
        return;
    }
    check->file = io_new_file(check->io);
    io_open(check->io, &check->op, file_opened, check->file, OPEN_READ, check->current,
            SPAN(IDENTITY_FILE));
}

void identity_check_run(struct identity_check *check, struct log_waiter *waiter)
{
    check->waiter = waiter;
    check->current = 0;
    read_next(check);
}
