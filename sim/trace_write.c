/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a trace: one transaction, one statement, no look at what was written. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/format.h"
#include "core/wire/codec.h"
#include "sim/memory.h"
#include "sim/peer.h"
#include "sim/trace.h"
#include "sim/trace_names.h"

#define MESSAGE_BYTES_MAX 48   /* of a bytes field that is shown */
#define JSON_BYTES_MAX    4096 /* of a message; the rest is left out */

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
    ERROR,
    COUNT,
    TEXT,
    DIGEST,
};

struct trace {
    sqlite3 *db;
    sqlite3_stmt *insert;
    bool failed; /* a row could not be written: trace_end() says so */
};

struct json {
    char text[JSON_BYTES_MAX];
    size_t length;
};

static void row_begin(struct trace *trace, const struct sim *sim, const struct host *host,
                      const char *class, const char *kind, uint64_t number, uint64_t cause)
{
    sqlite3_stmt *row = trace->insert;
    sqlite3_clear_bindings(row);
    sqlite3_bind_int64(row, NUMBER, (int64_t)number);
    sqlite3_bind_int64(row, CAUSE, (int64_t)cause);
    sqlite3_bind_int64(row, AT_US, (int64_t)sim->now_us);
    if (host != NULL)
        sqlite3_bind_int(row, NODE, (int)host->number);
    sqlite3_bind_text(row, CLASS, class, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, KIND, kind, -1, SQLITE_STATIC);
}

static void row_end(struct trace *trace)
{
    if (sqlite3_step(trace->insert) != SQLITE_DONE)
        trace->failed = true;
    sqlite3_reset(trace->insert);
}

static void bind_span(struct trace *trace, struct span text)
{
    sqlite3_bind_text(trace->insert, TEXT, (const char *)text.data, (int)text.length,
                      SQLITE_STATIC);
}

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    (void)payload;
    struct trace *trace = context;
    char digest[17];
    row_begin(trace, sim, host, "event", trace_event_name(event->kind), number, cause);
    if (event->kind == EVENT_COMPLETED) {
        sqlite3_bind_int64(trace->insert, REF, (int64_t)event->completed.effect);
        sqlite3_bind_int(trace->insert, ERROR, event->completed.error);
        sqlite3_bind_int64(trace->insert, COUNT, (int64_t)event->completed.count);
    } else if (event->kind == EVENT_ACCEPTED) {
        sqlite3_bind_int64(trace->insert, OBJECT, (int64_t)event->accepted.connection);
        bind_span(trace, event->accepted.peer);
    }
    snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)sim->digest.value);
    sqlite3_bind_text(trace->insert, DIGEST, digest, -1, SQLITE_STATIC);
    row_end(trace);
}

static uint64_t pieces_bytes(const struct piece *pieces, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += pieces[i].length;
    return bytes;
}

static void bind_effect(struct trace *trace, const struct effect *effect)
{
    sqlite3_stmt *row = trace->insert;
    switch (effect->kind) {
    case EFFECT_LISTEN:
        sqlite3_bind_int(row, OBJECT, (int)effect->listen.listener);
        break;
    case EFFECT_WATCH:
    case EFFECT_CLOSE:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->connection);
        break;
    case EFFECT_RECEIVE:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->receive.connection);
        sqlite3_bind_int64(row, COUNT, (int64_t)effect->receive.length);
        break;
    case EFFECT_SEND:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->send.connection);
        sqlite3_bind_int64(row, COUNT,
                           (int64_t)pieces_bytes(effect->send.pieces, effect->send.pieces_count));
        break;
    case EFFECT_OPEN:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->open.file);
        bind_span(trace, effect->open.path);
        break;
    case EFFECT_CLOSE_FILE:
    case EFFECT_SYNC:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->file);
        break;
    case EFFECT_READ:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->read.file);
        sqlite3_bind_int64(row, COUNT, (int64_t)effect->read.length);
        break;
    case EFFECT_WRITE:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->write.file);
        sqlite3_bind_int64(row, COUNT,
                           (int64_t)pieces_bytes(effect->write.pieces, effect->write.pieces_count));
        break;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        sqlite3_bind_int64(row, OBJECT, (int64_t)effect->range.file);
        sqlite3_bind_int64(row, COUNT, (int64_t)effect->range.offset);
        break;
    case EFFECT_TIMER:
        sqlite3_bind_int64(row, COUNT, (int64_t)effect->due_us);
        break;
    case EFFECT_LOG:
    case EFFECT_STOPPED:
        bind_span(trace, effect->log.text);
        break;
    case EFFECT_READY:
        break;
    default:
        bind_span(trace, effect->path.path);
        break;
    }
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    struct trace *trace = context;
    row_begin(trace, sim, host, "effect", trace_effect_name(effect->kind), number, cause);
    if (effect->id != 0)
        sqlite3_bind_int64(trace->insert, REF, (int64_t)effect->id);
    bind_effect(trace, effect);
    row_end(trace);
}

static void json_print(void *context, struct span text)
{
    struct json *json = context;
    size_t length = text.length;
    if (length > sizeof(json->text) - json->length)
        length = sizeof(json->text) - json->length;
    memcpy(json->text + json->length, text.data, length);
    json->length += length;
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    struct trace *trace = context;
    struct json json = {.length = 0};
    const struct wire_printer printer = {
        .print = json_print, .context = &json, .bytes_max = MESSAGE_BYTES_MAX};
    const bool is_request = strcmp(what, "request") == 0;
    json_print(&json, span_text(what));
    json_print(&json, SPAN(" "));
    if (is_request)
        wire_print(exchange->api->request, exchange->version, exchange->request, &printer);
    else if (exchange->response != NULL)
        wire_print(exchange->api->response, exchange->version, exchange->response, &printer);
    row_begin(trace, sim, exchange->host, "message", exchange->api->name, number, cause);
    sqlite3_bind_int64(trace->insert, REF, (int64_t)(is_request ? number : exchange->asked_number));
    sqlite3_bind_int(trace->insert, OBJECT, (int)exchange->client);
    sqlite3_bind_int(trace->insert, ERROR, exchange->version);
    bind_span(trace, span_of(json.text, json.length));
    row_end(trace);
}

static void on_action(void *context, const struct sim *sim, const struct host *host,
                      const char *kind, const char *text, uint64_t number, uint64_t cause)
{
    struct trace *trace = context;
    row_begin(trace, sim, host, "action", kind, number, cause);
    bind_span(trace, span_text(text));
    row_end(trace);
}

static void on_violated(void *context, const struct sim *sim, const struct violation *violation)
{
    (void)sim;
    struct trace *trace = context;
    sqlite3_stmt *row = NULL;
    sqlite3_prepare_v2(trace->db, "INSERT INTO violation VALUES (?, ?, ?, ?, ?, ?, ?)", -1, &row,
                       NULL);
    sqlite3_bind_text(row, 1, violation->judge, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, violation->rule, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 3, violation->source, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 4, (int64_t)violation->at_us);
    sqlite3_bind_int64(row, 5, (int64_t)violation->step);
    sqlite3_bind_int64(row, 6, (int64_t)violation->cause);
    sqlite3_bind_text(row, 7, violation->text, -1, SQLITE_STATIC);
    if (sqlite3_step(row) != SQLITE_DONE)
        trace->failed = true;
    sqlite3_finalize(row);
}

const struct sim_sink trace_sink = {
    .event = on_event,
    .effect = on_effect,
    .message = on_message,
    .action = on_action,
    .violated = on_violated,
};

static bool run_insert(struct trace *trace, const char *scenario_name, struct span scenario_text,
                       uint64_t seed)
{
    sqlite3_stmt *row = NULL;
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
    if (sqlite3_prepare_v2(trace->db,
                           "INSERT INTO run (scenario, scenario_text, seed, program)"
                           " VALUES (?, ?, ?, ?)",
                           -1, &row, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(row, 1, scenario_name, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, (const char *)scenario_text.data, (int)scenario_text.length,
                      SQLITE_STATIC);
    sqlite3_bind_text(row, 3, text, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 4, CHRONIK_VERSION, -1, SQLITE_STATIC);
    const bool done = sqlite3_step(row) == SQLITE_DONE;
    sqlite3_finalize(row);
    return done;
}

static bool tables_make(struct trace *trace)
{
    char pragmas[160];
    /* Nobody needs half a trace: no journal, no syncs. */
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = %d;"
             "PRAGMA user_version = %d; BEGIN;",
             TRACE_APPLICATION_ID, TRACE_VERSION);
    return sqlite3_exec(trace->db, pragmas, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(trace->db, trace_schema, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(trace->db,
                              "INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", -1,
                              &trace->insert, NULL) == SQLITE_OK;
}

/* False when something lies at the path that is no trace of ours. */
static bool place_is_free(const char *path, char ret_reason[static TRACE_REASON_BYTES])
{
    if (access(path, F_OK) != 0)
        return true;
    struct trace_run run;
    sqlite3 *db = trace_open(path, &run, ret_reason);
    if (db == NULL) {
        snprintf(ret_reason, TRACE_REASON_BYTES,
                 "%s is there and is no trace: name another file, or remove it", path);
        return false;
    }
    trace_run_free(&run);
    sqlite3_close(db);
    return unlink(path) == 0;
}

struct trace *trace_begin(const char *path, const char *scenario_name, struct span scenario_text,
                          uint64_t seed, char ret_reason[static TRACE_REASON_BYTES])
{
    if (!place_is_free(path, ret_reason))
        return NULL;
    struct trace *trace = sim_allocate(NULL, sizeof(*trace));
    *trace = (struct trace){0};
    if (sqlite3_open_v2(path, &trace->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
            SQLITE_OK &&
        tables_make(trace) && run_insert(trace, scenario_name, scenario_text, seed))
        return trace;
    snprintf(ret_reason, TRACE_REASON_BYTES, "cannot write %s: %s", path,
             sqlite3_errmsg(trace->db));
    sqlite3_finalize(trace->insert);
    sqlite3_close(trace->db);
    free(trace);
    return NULL;
}

bool trace_end(struct trace *trace, const struct sim *sim,
               char ret_reason[static TRACE_REASON_BYTES])
{
    static const char *const results[] = {"passed", "safety", "liveness"};
    char update[256];
    snprintf(update, sizeof(update),
             "UPDATE run SET result = '%s', steps = %llu, lasted_us = %llu, digest = '%016llx';"
             "COMMIT;",
             results[sim->violation.result], (unsigned long long)sim->steps,
             (unsigned long long)sim->now_us, (unsigned long long)sim->digest.value);
    const bool done =
        !trace->failed && sqlite3_exec(trace->db, update, NULL, NULL, NULL) == SQLITE_OK;
    if (!done)
        snprintf(ret_reason, TRACE_REASON_BYTES, "the trace is not whole: %s",
                 sqlite3_errmsg(trace->db));
    sqlite3_finalize(trace->insert);
    sqlite3_close(trace->db);
    free(trace);
    return done;
}
