/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"
#include "sim/trace.h"
#include "sim/trace_tail.h"

void trace_run_free(struct trace_run *run)
{
    free(run->scenario_name);
    free(run->scenario_text);
    free(run->result);
    free(run->judge);
    free(run->text);
    *run = (struct trace_run){0};
}

static int64_t number_of(sqlite3 *db, const char *question)
{
    sqlite3_stmt *row = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, question, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

static char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? NULL : sim_text_copy(text, strlen(text));
}

static bool run_read(sqlite3 *db, struct trace_run *run)
{
    sqlite3_stmt *row = NULL;
    const bool found =
        sqlite3_prepare_v2(db,
                           "SELECT scenario, scenario_text, seed, steps, digest,"
                           " (SELECT judge FROM violation), (SELECT text FROM violation), result"
                           " FROM run",
                           -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW && sqlite3_column_type(row, 4) == SQLITE_TEXT;
    if (found) {
        run->scenario_name = text_of(row, 0);
        run->scenario_text = text_of(row, 1);
        run->seed = strtoull((const char *)sqlite3_column_text(row, 2), NULL, 10);
        run->steps = (uint64_t)sqlite3_column_int64(row, 3);
        run->digest = strtoull((const char *)sqlite3_column_text(row, 4), NULL, 16);
        run->judge = text_of(row, 5);
        run->text = text_of(row, 6);
        run->result = text_of(row, 7);
    }
    sqlite3_finalize(row);
    return found && run->scenario_name != NULL && run->scenario_text != NULL;
}

bool trace_is(const char *path)
{
    sqlite3 *db = NULL;
    /* Not read only: what a process died of writing has to be rolled back before it can be read. */
    const bool is = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
                    number_of(db, "PRAGMA application_id") == TRACE_APPLICATION_ID;
    sqlite3_close(db);
    return is;
}

/* Completes it when its process has died. False with the reason when that did not work. */
static bool complete(const char *path, char ret_reason[static TRACE_REASON_BYTES])
{
    return !trace_tail_is_there(path) ||
           trace_salvage(path, "the process ended in the middle of the run", ret_reason);
}

sqlite3 *trace_open(const char *path, struct trace_run *ret_run,
                    char ret_reason[static TRACE_REASON_BYTES])
{
    sqlite3 *db = NULL;
    *ret_run = (struct trace_run){0};
    if (!complete(path, ret_reason))
        return NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        snprintf(ret_reason, TRACE_REASON_BYTES, "cannot read %s: %s", path, sqlite3_errmsg(db));
    } else if (number_of(db, "PRAGMA application_id") != TRACE_APPLICATION_ID) {
        snprintf(ret_reason, TRACE_REASON_BYTES,
                 "%s is no trace: \"chronik sim run --trace FILE\" writes one", path);
    } else if (number_of(db, "PRAGMA user_version") != TRACE_VERSION) {
        snprintf(ret_reason, TRACE_REASON_BYTES,
                 "%s is a trace of version %lld, and this program reads version %d", path,
                 (long long)number_of(db, "PRAGMA user_version"), TRACE_VERSION);
    } else if (!run_read(db, ret_run)) {
        snprintf(ret_reason, TRACE_REASON_BYTES,
                 "%s is not whole: the run that wrote it did not end", path);
    } else {
        return db;
    }
    trace_run_free(ret_run);
    sqlite3_close(db);
    return NULL;
}
