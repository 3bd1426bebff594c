/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a trace: what the sink is told becomes rows of the tail, which go to the database when
 * they are many. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/codec.h"
#include "sim/memory.h"
#include "sim/peer.h"
#include "sim/reply_errors.h"
#include "sim/trace.h"
#include "sim/trace_names.h"
#include "sim/trace_store.h"

#define MESSAGE_BYTES_MAX 48                /* of a bytes field that is shown */
#define TAIL_BYTES_MOST   ((size_t)1 << 20) /* of rows, before they go to the database */

struct trace {
    const char *path;
    struct trace_tail *tail;
    struct trace_store store;
    bool failed;  /* the database did not take something: trace_end() says so */
    bool is_full; /* … or the tail */
};

static struct trace_row row_of(const struct sim *sim, const struct host *host,
                               enum trace_class class, uint64_t number, uint64_t cause)
{
    return (struct trace_row){.number = number,
                              .cause = cause,
                              .at_us = sim->now_us,
                              .node = host == NULL ? 0 : host->number,
                              .class = (uint8_t) class,
                              .has = host == NULL ? 0 : TRACE_HAS_NODE};
}

static void take_over(struct trace *trace)
{
    if (!trace->failed)
        trace->failed = !trace_store_take(&trace->store, trace->tail, 0);
    trace_tail_clear(trace->tail);
}

static void row_end(struct trace *trace)
{
    if (!trace_tail_end(trace->tail))
        trace->is_full = true;
    if (trace_tail_bytes(trace->tail) >= TAIL_BYTES_MOST)
        take_over(trace);
}

static void row_put(struct trace *trace, const struct trace_row *row, const char *kind,
                    struct span text)
{
    trace_tail_put(trace->tail, row, kind);
    trace_tail_text(trace->tail, text);
    row_end(trace);
}

/* ---- Steps. ---- */

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    (void)payload;
    struct trace_row row = row_of(sim, host, TRACE_CLASS_EVENT, number, cause);
    struct span text = SPAN("");
    row.digest = sim->digest.value;
    row.has |= TRACE_HAS_DIGEST;
    if (event->kind == EVENT_COMPLETED) {
        row.ref = event->completed.effect;
        row.error = (int16_t)event->completed.error;
        row.count = event->completed.count;
        row.has |= TRACE_HAS_REF | TRACE_HAS_ERROR | TRACE_HAS_COUNT;
    } else if (event->kind == EVENT_ACCEPTED) {
        row.object = event->accepted.connection;
        row.has |= TRACE_HAS_OBJECT | TRACE_HAS_TEXT;
        text = event->accepted.peer;
    }
    row_put(context, &row, trace_event_name(event->kind), text);
}

static uint64_t pieces_bytes(const struct piece *pieces, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += pieces[i].length;
    return bytes;
}

static void set_object(struct trace_row *row, uint64_t object)
{
    row->object = object;
    row->has |= TRACE_HAS_OBJECT;
}

static void set_offset(struct trace_row *row, uint64_t offset)
{
    row->offset = offset;
    row->has |= TRACE_HAS_OFFSET;
}

static void set_count(struct trace_row *row, uint64_t count)
{
    row->count = count;
    row->has |= TRACE_HAS_COUNT;
}

/* What an effect is about. Returns its text. */
static struct span describe(struct trace_row *row, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_LISTEN:
        set_object(row, effect->listen.listener);
        return SPAN_NULL;
    case EFFECT_CONNECT:
        set_offset(row, effect->connect.port);
        return effect->connect.host;
    case EFFECT_WATCH:
    case EFFECT_CLOSE:
        set_object(row, effect->connection);
        return SPAN_NULL;
    case EFFECT_RECEIVE:
        set_object(row, effect->receive.connection);
        set_count(row, effect->receive.length);
        return SPAN_NULL;
    case EFFECT_SEND:
        set_object(row, effect->send.connection);
        set_count(row, pieces_bytes(effect->send.pieces, effect->send.pieces_count));
        return SPAN_NULL;
    case EFFECT_OPEN:
        set_object(row, effect->open.file);
        return effect->open.path;
    case EFFECT_CLOSE_FILE:
    case EFFECT_SYNC:
        set_object(row, effect->file);
        return SPAN_NULL;
    case EFFECT_READ:
        set_object(row, effect->read.file);
        set_offset(row, effect->read.offset);
        set_count(row, effect->read.length);
        return SPAN_NULL;
    case EFFECT_WRITE:
        set_object(row, effect->write.file);
        set_offset(row, effect->write.offset);
        set_count(row, pieces_bytes(effect->write.pieces, effect->write.pieces_count));
        return SPAN_NULL;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        set_object(row, effect->range.file);
        set_offset(row, effect->range.offset);
        if (effect->kind == EFFECT_RESERVE)
            set_count(row, effect->range.length);
        return SPAN_NULL;
    case EFFECT_TIMER:
        set_count(row, effect->due_us);
        return SPAN_NULL;
    case EFFECT_LOG:
    case EFFECT_STOPPED:
        return effect->log.text;
    case EFFECT_READY:
        return SPAN_NULL;
    default:
        return effect->path.path;
    }
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    struct trace *trace = context;
    struct trace_row row = row_of(sim, host, TRACE_CLASS_EFFECT, number, cause);
    const struct span text = describe(&row, effect);
    if (effect->id != 0) {
        row.ref = effect->id;
        row.has |= TRACE_HAS_REF;
    }
    if (!span_is_null(text))
        row.has |= TRACE_HAS_TEXT;
    trace_tail_put(trace->tail, &row, trace_effect_name(effect->kind));
    trace_tail_text(trace->tail, text);
    if (effect->kind == EFFECT_RENAME) {
        trace_tail_text(trace->tail, SPAN(" -> "));
        trace_tail_text(trace->tail, effect->path.path_to);
    }
    row_end(trace);
}

/* ---- Messages. ---- */

static void on_text(void *context, struct span text)
{
    trace_tail_text(context, text);
}

/* The first error is the one that counts. */
static void on_error(void *context, int16_t error)
{
    struct trace_row *row = context;
    if (row->error == 0)
        row->error = error;
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    struct trace *trace = context;
    const struct wire_printer printer = {
        .print = on_text, .context = trace->tail, .bytes_max = MESSAGE_BYTES_MAX};
    const struct wire_schema *schema = NULL;
    const void *message = NULL;
    struct trace_row row = row_of(sim, exchange->host, TRACE_CLASS_LOST, number, cause);
    row.ref = exchange->asked_number;
    row.object = exchange->client;
    row.version = exchange->version;
    row.has |= TRACE_HAS_REF | TRACE_HAS_OBJECT | TRACE_HAS_VERSION;
    if (strcmp(what, "request") == 0) {
        row.class = TRACE_CLASS_REQUEST;
        row.ref = number;
        set_count(&row, exchange->request_bytes.length);
        schema = exchange->api->request;
        message = exchange->request;
    } else if (strcmp(what, "reply") == 0) {
        row.class = TRACE_CLASS_REPLY;
        row.has |= TRACE_HAS_ERROR;
        reply_errors(exchange, on_error, &row);
        set_count(&row, exchange->response_bytes.length);
        schema = exchange->api->response;
        message = exchange->response;
    }
    if (schema != NULL)
        row.has |= TRACE_HAS_MESSAGE;
    trace_tail_put(trace->tail, &row, exchange->api->name);
    if (schema != NULL)
        wire_print(schema, exchange->version, message, &printer);
    row_end(trace);
}

/* ---- The rest. ---- */

static void on_action(void *context, const struct sim *sim, const struct host *host,
                      const char *kind, const char *text, uint64_t number, uint64_t cause)
{
    struct trace_row row = row_of(sim, host, TRACE_CLASS_ACTION, number, cause);
    row.has |= TRACE_HAS_TEXT;
    row_put(context, &row, kind, span_text(text));
}

static void on_violated(void *context, const struct sim *sim, const struct violation *violation)
{
    (void)sim;
    struct trace *trace = context;
    sqlite3_stmt *row = NULL;
    sqlite3_prepare_v2(trace->store.db, "INSERT INTO violation VALUES (?, ?, ?, ?, ?, ?, ?)", -1,
                       &row, NULL);
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
    if (sqlite3_prepare_v2(trace->store.db,
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

static void trace_free(struct trace *trace)
{
    if (trace->tail != NULL)
        trace_tail_close(trace->tail);
    trace_store_close(&trace->store);
    free(trace);
}

/* Removes what is there, if it is a trace of ours. */
static bool make_way(const char *path, char ret_reason[static TRACE_REASON_BYTES])
{
    if (access(path, F_OK) != 0)
        return true;
    if (!trace_is(path)) {
        snprintf(ret_reason, TRACE_REASON_BYTES,
                 "%s is there and is no trace: name another file, or remove it", path);
        return false;
    }
    if (unlink(path) == 0)
        return true;
    snprintf(ret_reason, TRACE_REASON_BYTES, "cannot replace %s: %s", path, strerror(errno));
    return false;
}

struct trace *trace_begin(const char *path, const char *scenario_name, struct span scenario_text,
                          uint64_t seed, char ret_reason[static TRACE_REASON_BYTES])
{
    if (!make_way(path, ret_reason))
        return NULL;
    struct trace *trace = sim_allocate(NULL, sizeof(*trace));
    *trace = (struct trace){.path = path};
    if (trace_store_open(&trace->store, path, true) &&
        run_insert(trace, scenario_name, scenario_text, seed)) {
        trace->tail = trace_tail_make(path);
        if (trace->tail != NULL)
            return trace;
        snprintf(ret_reason, TRACE_REASON_BYTES, "cannot write %s-tail: %s", path, strerror(errno));
    } else {
        snprintf(ret_reason, TRACE_REASON_BYTES, "cannot write %s: %s", path,
                 sqlite3_errmsg(trace->store.db));
    }
    trace_free(trace);
    return NULL;
}

bool trace_end(struct trace *trace, const struct sim *sim,
               char ret_reason[static TRACE_REASON_BYTES])
{
    static const char *const results[] = {"passed", "safety", "liveness"};
    char update[256];
    snprintf(update, sizeof(update),
             "UPDATE run SET result = '%s', steps = %llu, lasted_us = %llu, digest = '%016llx'",
             results[sim->violation.result], (unsigned long long)sim->steps,
             (unsigned long long)sim->now_us, (unsigned long long)sim->digest.value);
    take_over(trace);
    const bool done =
        !trace->failed && trace_store_finish(&trace->store, update) && !trace->is_full;
    if (!done)
        snprintf(ret_reason, TRACE_REASON_BYTES, "%s is not whole: %s", trace->path,
                 trace->is_full ? "no room for it" : sqlite3_errmsg(trace->store.db));
    trace_tail_remove(trace->path);
    trace_free(trace);
    return done;
}
