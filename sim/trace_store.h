/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes rows of a trace over from its tail into its database: a transaction for many, so that the
 * database is always one of whole rows, and what a dying process had begun is rolled back by
 * whoever opens it next.
 */
#ifndef SIM_TRACE_STORE_H
#define SIM_TRACE_STORE_H

#include <sqlite3.h>

#include "sim/trace_tail.h"

struct trace_store {
    sqlite3 *db;
    sqlite3_stmt *insert;
};

/* Opens the database at `path`, and makes it with its tables if `is_new`. Returns false with an
 * error in store->db; it is closed by trace_store_close() in any case. */
bool trace_store_open(struct trace_store *store, const char *path, bool is_new);
void trace_store_close(struct trace_store *store);

/* Takes over all rows whose number is higher than `after`. False with an error in store->db, and
 * none taken. */
bool trace_store_take(struct trace_store *store, const struct trace_tail *tail, uint64_t after);

/* All rows are there: makes the indices, which cost least now, and writes how the run ended by the
 * statement `update`. False with an error in store->db. */
bool trace_store_finish(struct trace_store *store, const char *update);

#endif
