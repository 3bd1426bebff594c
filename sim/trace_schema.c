/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

const char trace_schema[] =
    /* One row: the run. A result is "passed", "safety", "liveness", or null while it lasts. */
    "CREATE TABLE run ("
    "  scenario TEXT NOT NULL,"      /* its name */
    "  scenario_text TEXT NOT NULL," /* its JSON */
    "  seed TEXT NOT NULL,"          /* unsigned, in decimal */
    "  program TEXT NOT NULL,"       /* the version that ran it */
    "  result TEXT,"
    "  steps INTEGER,"     /* calls of broker_step() */
    "  lasted_us INTEGER," /* virtual time */
    "  digest TEXT);"      /* over every event and effect, in hexadecimal */
    /* What happened, in order. `class` is one of
     *   event    went into a broker; `kind` as in core/event.h, `ref` the effect that completed,
     *            `digest` that of the run after it
     *   effect   was asked for by a broker; `ref` its id, `object` the file or connection
     *   message  a request or reply, whole; `kind` the API, `ref` the exchange
     *   action   anything else: faults, lives of machines, phases; `kind` one word */
    "CREATE TABLE thing ("
    "  number INTEGER PRIMARY KEY,"
    "  cause INTEGER NOT NULL," /* the number of what it came from; 0: the seed */
    "  at_us INTEGER NOT NULL," /* virtual time */
    "  node INTEGER,"           /* null: of no machine */
    "  class TEXT NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  ref INTEGER,"
    "  object INTEGER,"
    "  error INTEGER," /* the code that it ended with */
    "  count INTEGER," /* bytes, or what its kind counts */
    "  text TEXT,"     /* a path, a log line, a message as JSON */
    "  digest TEXT);"
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
    "  WHERE class = 'action' AND kind IN ('fault', 'life', 'clock', 'disk') ORDER BY number;"
    "CREATE VIEW messages AS"
    "  SELECT number, cause, at_us, node, kind AS api, object AS client, ref AS exchange,"
    "         error AS version, text FROM thing"
    "  WHERE class = 'message' ORDER BY number;"
    /* What each effect asked for, when it completed and how. */
    "CREATE VIEW effects AS"
    "  SELECT e.number, e.at_us, e.node, e.kind, e.ref AS id, e.object, e.count, e.text,"
    "         c.number AS completed, c.at_us - e.at_us AS took_us, c.error, c.count AS done"
    "  FROM thing e LEFT JOIN thing c"
    "    ON c.cause = e.number AND c.class = 'event' AND c.ref = e.ref"
    "  WHERE e.class = 'effect' ORDER BY e.number;"
    "CREATE VIEW logs AS"
    "  SELECT number, at_us, node, text FROM thing"
    "  WHERE class = 'effect' AND kind IN ('log', 'stopped') ORDER BY number;"
    /* What a person reads: no events, of effects only what is told to the operator. */
    "CREATE VIEW story AS"
    "  SELECT number, at_us, node, class, kind, text FROM thing"
    "  WHERE class IN ('action', 'message')"
    "     OR (class = 'effect' AND kind IN ('log', 'ready', 'stopped')) ORDER BY number;";
