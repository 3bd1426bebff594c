/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace.h"
#include "sim/trace_store.h"

static uint64_t last_number(struct trace_store *store)
{
    sqlite3_stmt *row = NULL;
    uint64_t number = 0;
    if (sqlite3_prepare_v2(store->db, "SELECT max(number) FROM thing", -1, &row, NULL) ==
            SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        number = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

/* The last thing that the trace has: the crash, on the machine whose turn it was. */
static bool crash_insert(struct trace_store *store, const char *how)
{
    sqlite3_stmt *row = NULL;
    bool done = false;
    if (sqlite3_prepare_v2(store->db,
                           "INSERT INTO thing (number, cause, at_us, node, class, kind, text)"
                           " SELECT coalesce(max(number), 0) + 1, coalesce(max(number), 0),"
                           "        coalesce(max(at_us), 0),"
                           "        (SELECT node FROM thing ORDER BY number DESC LIMIT 1),"
                           "        'action', 'crash', ? FROM thing",
                           -1, &row, NULL) == SQLITE_OK) {
        sqlite3_bind_text(row, 1, how, -1, SQLITE_STATIC);
        done = sqlite3_step(row) == SQLITE_DONE;
    }
    sqlite3_finalize(row);
    return done;
}

bool trace_salvage(const char *path, const char *how, char ret_reason[static TRACE_REASON_BYTES])
{
    static const char update[] =
        "UPDATE run SET result = 'crash',"
        " steps = (SELECT count(*) FROM thing WHERE class = 'event'),"
        " lasted_us = (SELECT max(at_us) FROM thing),"
        " digest = printf('%016x', (SELECT digest FROM thing WHERE class = 'event'"
        "                           ORDER BY number DESC LIMIT 1))";
    struct trace_store store;
    if (!trace_is(path)) {
        snprintf(ret_reason, TRACE_REASON_BYTES, "%s is no trace", path);
        return false;
    }
    struct trace_tail *tail = trace_tail_open(path);
    if (tail == NULL) {
        snprintf(ret_reason, TRACE_REASON_BYTES, "%s-tail: %s", path,
                 errno == EWOULDBLOCK ? "the run goes on still" : strerror(errno));
        return false;
    }
    const bool done = trace_store_open(&store, path, false) &&
                      trace_store_take(&store, tail, last_number(&store)) &&
                      crash_insert(&store, how) && trace_store_finish(&store, update);
    if (done)
        trace_tail_remove(path);
    else
        snprintf(ret_reason, TRACE_REASON_BYTES, "cannot complete %s: %s", path,
                 sqlite3_errmsg(store.db));
    trace_store_close(&store);
    trace_tail_close(tail);
    return done;
}
