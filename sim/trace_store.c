/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace_store.h"

#include <stdio.h>

#include "sim/trace.h"

/* The columns of "thing", from 1. */
enum {
    NUMBER = 1,
    CAUSE,
    AT_US,
    NODE,
    CLASS,
    KIND,
    REF,
    OBJECT,
    OFFSET,
    COUNT,
    ERROR,
    VERSION,
    TEXT,
    MESSAGE,
    DIGEST,
};

static bool execute(struct trace_store *store, const char *statements)
{
    return sqlite3_exec(store->db, statements, NULL, NULL, NULL) == SQLITE_OK;
}

static bool tables_make(struct trace_store *store)
{
    char pragmas[160];
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA page_size = 16384; BEGIN; PRAGMA application_id = %d;"
             "PRAGMA user_version = %d;",
             TRACE_APPLICATION_ID, TRACE_VERSION);
    return execute(store, pragmas) && execute(store, trace_schema) && execute(store, "COMMIT");
}

bool trace_store_open(struct trace_store *store, const char *path, bool is_new)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_new ? SQLITE_OPEN_CREATE : 0);
    *store = (struct trace_store){0};
    /* The process may die, but not the machine: nothing has to be synced. */
    return sqlite3_open_v2(path, &store->db, flags, NULL) == SQLITE_OK &&
           execute(store, "PRAGMA synchronous = OFF") && (!is_new || tables_make(store)) &&
           sqlite3_prepare_v2(
               store->db, "INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               -1, &store->insert, NULL) == SQLITE_OK;
}

void trace_store_close(struct trace_store *store)
{
    sqlite3_finalize(store->insert);
    sqlite3_close(store->db);
}

static void bind_number(sqlite3_stmt *statement, const struct trace_row *row, unsigned has,
                        int column, uint64_t number)
{
    if ((row->has & has) != 0)
        sqlite3_bind_int64(statement, column, (int64_t)number);
    else
        sqlite3_bind_null(statement, column);
}

static void bind_text(sqlite3_stmt *statement, const struct trace_row *row, unsigned has,
                      int column, struct span text)
{
    if ((row->has & has) != 0)
        sqlite3_bind_text(statement, column, (const char *)text.data, (int)text.length,
                          SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, column);
}

static bool insert(sqlite3_stmt *statement, const struct trace_row *row, struct span kind,
                   struct span text)
{
    static const char *const classes[] = {
        [TRACE_CLASS_EVENT] = "event",     [TRACE_CLASS_EFFECT] = "effect",
        [TRACE_CLASS_REQUEST] = "request", [TRACE_CLASS_REPLY] = "reply",
        [TRACE_CLASS_LOST] = "lost",       [TRACE_CLASS_ACTION] = "action",
    };
    sqlite3_bind_int64(statement, NUMBER, (int64_t)row->number);
    sqlite3_bind_int64(statement, CAUSE, (int64_t)row->cause);
    sqlite3_bind_int64(statement, AT_US, (int64_t)row->at_us);
    bind_number(statement, row, TRACE_HAS_NODE, NODE, row->node);
    sqlite3_bind_text(statement, CLASS, classes[row->class], -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, KIND, (const char *)kind.data, (int)kind.length, SQLITE_STATIC);
    bind_number(statement, row, TRACE_HAS_REF, REF, row->ref);
    bind_number(statement, row, TRACE_HAS_OBJECT, OBJECT, row->object);
    bind_number(statement, row, TRACE_HAS_ERROR, ERROR, (uint64_t)row->error);
    bind_number(statement, row, TRACE_HAS_VERSION, VERSION, (uint64_t)row->version);
    bind_number(statement, row, TRACE_HAS_OFFSET, OFFSET, row->offset);
    bind_number(statement, row, TRACE_HAS_COUNT, COUNT, row->count);
    bind_text(statement, row, TRACE_HAS_TEXT, TEXT, text);
    bind_text(statement, row, TRACE_HAS_MESSAGE, MESSAGE, text);
    bind_number(statement, row, TRACE_HAS_DIGEST, DIGEST, row->digest);
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
}

bool trace_store_take(struct trace_store *store, const struct trace_tail *tail, uint64_t after)
{
    struct trace_row row;
    struct span kind;
    struct span text;
    size_t place = 0;
    bool good = execute(store, "BEGIN");
    while (good && trace_tail_next(tail, &place, &row, &kind, &text))
        good = row.number <= after || insert(store->insert, &row, kind, text);
    if (good)
        return execute(store, "COMMIT");
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool trace_store_finish(struct trace_store *store, const char *update)
{
    return execute(store, trace_indices) && execute(store, update);
}
