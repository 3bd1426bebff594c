/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as a SQLite file, made to be asked questions. Its tables and views are in
 * sim/trace_schema.c; doc/SIMULATOR.md shows questions. Everything that happened is a row of
 * "thing", numbered in the order in which it happened, with the number of what it came from.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <sqlite3.h>

#include "sim/sim.h"

/* "chTr": tells the file from any other SQLite database. */
#define TRACE_APPLICATION_ID 0x63685472
#define TRACE_VERSION        2
#define TRACE_REASON_BYTES   512

extern const char trace_schema[];
extern const char trace_indices[]; /* made when all rows are there */

struct trace;

/* Begins a trace in a new file; one that is there is replaced if it is a trace, and refused if it
 * is anything else. `scenario_text` is the scenario's own file, kept so that the run can be had
 * again. NULL with the reason when that cannot be. Owned by the caller, who gives it back by
 * trace_end(). */
struct trace *trace_begin(const char *path, const char *scenario_name, struct span scenario_text,
                          uint64_t seed, char ret_reason[static TRACE_REASON_BYTES]);

/* For struct sim_options, with the trace as context. */
extern const struct sim_sink trace_sink;

/* Writes how the run ended, and gives the trace back. Returns false with the reason when the file
 * is not whole. */
bool trace_end(struct trace *trace, const struct sim *sim,
               char ret_reason[static TRACE_REASON_BYTES]);

/* True when the file is a trace, whole or not. */
bool trace_is(const char *path);

/* Completes the trace of a process that died in the middle of the run: takes over the rows that it
 * had not brought to the database, and marks the crash, `how` telling of it. False with the reason
 * when there is nothing to complete, or it cannot be done. */
bool trace_salvage(const char *path, const char *how, char ret_reason[static TRACE_REASON_BYTES]);

/* What a trace says of its run. Texts are owned by the struct. */
struct trace_run {
    char *scenario_name;
    char *scenario_text;
    char *result; /* "passed", "safety", "liveness", "crash" */
    uint64_t seed;
    uint64_t steps;
    uint64_t digest;
    char *judge; /* NULL: nobody objected */
    char *text;
};

/* Opens a trace for reading, after trace_salvage() if need be. Returns NULL with the reason; else
 * the database, which the caller gives back by sqlite3_close(), and what it says of its run (by
 * trace_run_free()). */
sqlite3 *trace_open(const char *path, struct trace_run *ret_run,
                    char ret_reason[static TRACE_REASON_BYTES]);
void trace_run_free(struct trace_run *run);

#endif
