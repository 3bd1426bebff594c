/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated world: machines with brokers, clients, and between them networks and disks with
 * faults, all under one virtual time. The same scenario and seed give the same run, event by event.
 *
 *                    sim ── queue: what happens next
 *      ┌──────────────┼───────────────┬───────────┬──────────┐
 *    host 1..n      network        clients      faults     judges
 *    broker, files  channels       peers        plan       tallies
 *
 * A run has phases:
 *
 *     BOOT ──▶ LOAD ──▶ SETTLE ──▶ AUDIT ──▶ END
 *
 * BOOT: machines start, topics are made. LOAD: clients work, faults come. SETTLE: no new faults,
 * machines that are down start, clients finish what they began: all has to end well in time. AUDIT:
 * everything is read once more. Any judge may end the run at any time.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/effect.h"
#include "core/event.h"
#include "core/trace/digest.h"
#include "sim/queue.h"
#include "sim/scenario.h"
#include "sim/tally.h"

#define SIM_HOSTS_MAX 16

struct host;
struct network;
struct clients;
struct faults;
struct judges;
struct setup;
struct exchange;
struct sim_sink;

enum sim_phase { SIM_BOOT, SIM_LOAD, SIM_SETTLE, SIM_AUDIT, SIM_END };

enum sim_result { SIM_PASSED, SIM_SAFETY, SIM_LIVENESS };

#define VIOLATION_TEXT_BYTES 1024

/* What a judge objected to. */
struct violation {
    enum sim_result result; /* SIM_PASSED: nothing */
    const char *judge;
    const char *rule;
    const char *source;
    uint64_t at_us;
    uint64_t step;
    uint64_t cause; /* the trace's number of what was going on */
    char text[VIOLATION_TEXT_BYTES];
};

struct sim_options {
    const struct sim_sink *sink; /* NULL: none */
    void *sink_context;
    uint64_t steps_most;      /* the run ends after so many, as if cut; 0: no limit */
    struct chance_tape *tape; /* decides before the seed does; NULL: none. Borrowed */
};

struct sim {
    const struct scenario *scenario;
    struct chance_source source;
    uint64_t now_us;
    enum sim_phase phase;
    struct queue queue;
    struct host *hosts[SIM_HOSTS_MAX]; /* node id - 1 is the place */
    uint32_t hosts_count;
    struct network *network;
    struct list peers;
    struct clients *clients;
    struct faults *faults;
    struct judges *judges;
    const struct sim_sink *sink; /* NULL: nobody watches */
    void *sink_context;
    struct tally tally;
    uint64_t steps;             /* calls of broker_step() */
    uint64_t trace_number;      /* of what the sink was told last */
    struct trace_digest digest; /* over every event and effect so far */
    struct violation violation;
    struct sim_options options;
    struct chance rng;
    struct task phase_task;
    uint64_t load_us; /* when the load began */
    uint64_t load_lasts_us;
    uint64_t done_us;       /* when all clients were done; 0: not yet */
    uint64_t phase_ends_us; /* when it should be over, and is late afterwards */
    struct setup *setup;
    struct settings_list drawn; /* settings of all machines */
};

/* Who is told everything that happens, to keep it: a trace. Each thing has a number, one higher
 * than the last; `cause` is the number of what it came from, 0 for the seed. */
struct sim_sink {
    /* A step begins: what goes in (`payload`: bytes that come with it) and the digest with it. */
    void (*event)(void *context, const struct sim *sim, const struct host *host,
                  const struct event *event, struct span payload, uint64_t number, uint64_t cause);
    void (*effect)(void *context, const struct sim *sim, const struct host *host,
                   const struct effect *effect, uint64_t number, uint64_t cause);
    /* A request or a reply, whole: `what` is "request", "reply" or "lost". */
    void (*message)(void *context, const struct sim *sim, const char *what,
                    const struct exchange *exchange, uint64_t number, uint64_t cause);
    /* Anything else, in words: faults, lives of machines, what disks and networks do. `host` may be
     * NULL. `kind` is one word. */
    void (*action)(void *context, const struct sim *sim, const struct host *host, const char *kind,
                   const char *text, uint64_t number, uint64_t cause);
    void (*violated)(void *context, const struct sim *sim, const struct violation *violation);
};

/* A world before its first moment. The scenario is borrowed and outlives it. NULL when a setting is
 * refused: `ret_reason` says which and why. */
struct sim *sim_new(const struct scenario *scenario, uint64_t seed,
                    const struct sim_options *options, char *ret_reason, size_t reason_bytes);

/* Runs it to its end. What was wrong is in sim->violation. */
enum sim_result sim_run(struct sim *sim);

/* NULL is a no-op. */
void sim_free(struct sim *sim);

/* A fault or a moment happened: one row of sim/tally.def. */
void sim_count(struct sim *sim, enum tally_row row);

/* Tells the sink something in words, and makes it the cause of what follows. */
void sim_tell(struct sim *sim, const struct host *host, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A judge objects: the first objection ends the run. */
void sim_object(struct sim *sim, enum sim_result result, const char *judge, const char *rule,
                const char *source, const char *format, ...) __attribute__((format(printf, 6, 7)));

static inline bool sim_is_over(const struct sim *sim)
{
    return sim->violation.result != SIM_PASSED || sim->phase == SIM_END;
}

#endif
