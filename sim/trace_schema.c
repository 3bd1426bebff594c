/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

const char trace_schema[] =
    /* One row: the run. A result is "passed", "safety", "liveness", "crash", or null while it
     * lasts. */
    "CREATE TABLE run ("
    "  scenario TEXT NOT NULL,"      /* its name */
    "  scenario_text TEXT NOT NULL," /* its JSON; empty for what was recorded */
    "  seed TEXT NOT NULL,"          /* unsigned, in decimal */
    "  program TEXT NOT NULL,"       /* the version that ran it */
    "  result TEXT,"
    "  steps INTEGER,"     /* calls of broker_step() */
    "  lasted_us INTEGER," /* virtual time */
    "  digest TEXT);"      /* over every event and effect, in hexadecimal */
    /* What happened, in order. `class` is one of
     *   event    goes into a broker; `kind` as in core/event.h, `ref` the effect that completed,
     *            `digest` that of the run with it
     *   effect   was asked for by a broker; `kind` as in core/effect.h, `ref` its id
     *   request  of a client, whole; `kind` the API, `ref` the exchange, `object` the client
     *   reply    to it; `error` the first one in it, or 0
     *   lost     it will get none
     *   action   anything else: faults, lives of machines, phases; `kind` one word */
    "CREATE TABLE thing ("
    "  number INTEGER PRIMARY KEY,"
    "  cause INTEGER NOT NULL," /* the number of what it came from; 0: the seed */
    "  at_us INTEGER NOT NULL," /* virtual time */
    "  node INTEGER,"           /* null: of no machine */
    "  class TEXT NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  ref INTEGER,"
    "  object INTEGER," /* the file, connection or client */
    "  offset INTEGER," /* in the file; the port of a connect */
    "  count INTEGER,"  /* bytes, or what its kind counts */
    "  error INTEGER,"  /* the code that it ended with */
    "  version INTEGER,"
    "  text TEXT,"    /* a path, a log line, a host */
    "  message TEXT," /* a request or reply as JSON, for json_extract() */
    "  digest INTEGER);"
    /* What a judge objected to: at most one row. */
    "CREATE TABLE violation ("
    "  judge TEXT NOT NULL,"
    "  rule TEXT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  at_us INTEGER NOT NULL,"
    "  step INTEGER NOT NULL,"
    "  cause INTEGER NOT NULL," /* the thing that was going on */
    "  text TEXT NOT NULL);"
    /* ---- Views for common questions. ---- */
    "CREATE VIEW faults AS"
    "  SELECT number, at_us, node, kind, text FROM thing"
    "  WHERE class = 'action' AND kind IN ('fault', 'life', 'clock', 'disk', 'crash')"
    "  ORDER BY number;"
    "CREATE VIEW messages AS"
    "  SELECT number, cause, at_us, node, class AS what, kind AS api, version,"
    "         object AS client, ref AS exchange, error, count AS bytes, message FROM thing"
    "  WHERE class IN ('request', 'reply', 'lost') ORDER BY number;"
    /* Each request with what came of it; all of `ended`, `outcome`, `took_us` null: it waits. */
    "CREATE VIEW exchanges AS"
    "  SELECT q.number, q.at_us, q.node, q.kind AS api, q.version, q.object AS client,"
    "         r.number AS ended, r.class AS outcome, r.at_us - q.at_us AS took_us, r.error"
    "  FROM thing q LEFT JOIN thing r ON r.ref = q.number AND r.class IN ('reply', 'lost')"
    "  WHERE q.class = 'request' ORDER BY q.number;"
    "CREATE VIEW steps AS"
    "  SELECT number, cause, at_us, node, kind, ref AS effect, error, count,"
    "         printf('%016x', digest) AS digest FROM thing"
    "  WHERE class = 'event' ORDER BY number;"
    /* What each effect asked for, when it completed and how. */
    "CREATE VIEW effects AS"
    "  SELECT e.number, e.cause, e.at_us, e.node, e.kind, e.ref AS id, e.object, e.offset,"
    "         e.count, e.text,"
    "         c.number AS completed, c.at_us - e.at_us AS took_us, c.error, c.count AS done"
    "  FROM thing e LEFT JOIN thing c"
    "    ON c.cause = e.number AND c.class = 'event' AND c.ref = e.ref"
    "  WHERE e.class = 'effect' ORDER BY e.number;"
    "CREATE VIEW network AS"
    "  SELECT number, at_us, node, kind,"
    "         CASE kind WHEN 'connect' THEN done ELSE object END AS connection,"
    "         count, completed, took_us, error, done, text AS host FROM effects"
    "  WHERE kind IN ('connect', 'watch', 'receive', 'send', 'close');"
    /* Numbers of files are those of a process: the last open before counts. */
    "CREATE VIEW disk AS"
    "  SELECT number, at_us, node, kind, coalesce(text,"
    "           (SELECT o.text FROM thing o WHERE o.class = 'effect' AND o.kind = 'open'"
    "              AND o.node = e.node AND o.object = e.object AND o.number <= e.number"
    "            ORDER BY o.number DESC LIMIT 1)) AS path,"
    "         offset, count, completed, took_us, error, done FROM effects e"
    "  WHERE kind IN ('open', 'close_file', 'read', 'write', 'sync', 'truncate', 'reserve', 'list',"
    "                 'make_folder', 'rename', 'remove', 'sync_folder');"
    "CREATE VIEW logs AS"
    "  SELECT number, at_us, node, text FROM thing"
    "  WHERE class = 'effect' AND kind IN ('log', 'stopped') ORDER BY number;"
    /* What a person reads: no events, of effects only what is told to the operator. */
    "CREATE VIEW story AS"
    "  SELECT number, at_us, node, class, kind, coalesce(text, message) AS text FROM thing"
    "  WHERE class IN ('action', 'request', 'reply', 'lost')"
    "     OR (class = 'effect' AND kind IN ('log', 'ready', 'stopped')) ORDER BY number;";

const char trace_indices[] =
    "CREATE INDEX thing_completed ON thing (cause) WHERE class = 'event' AND ref IS NOT NULL;"
    "CREATE INDEX thing_ended ON thing (ref) WHERE class IN ('reply', 'lost');"
    "CREATE INDEX thing_opened ON thing (node, object) WHERE class = 'effect' AND kind = 'open';";
