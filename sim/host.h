/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine: its disk, its clocks, and the process that runs a broker on it.
 *
 *     OFF ──▶ BOOTING ──▶ SERVING ──▶ STOPPING ──▶ OFF        crash, power loss: from any ──▶ OFF
 *                └───────────────────────▲
 *
 * It does what cli/loop.c does: delivers what has arrived, carries out what was asked for, delivers
 * what that gave at once, the timer, EVENT_TURN_END. But how much a turn brings, what is given at
 * once and what takes its time, is drawn.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "core/base/list.h"
#include "core/broker.h"
#include "core/conf/conf.h"
#include "sim/blocks.h"
#include "sim/files.h"
#include "sim/sim.h"

enum host_state { HOST_OFF, HOST_BOOTING, HOST_SERVING, HOST_STOPPING };

/* How a process ended. */
enum host_end {
    HOST_END_STOPPED,    /* by EFFECT_STOPPED, in order */
    HOST_END_FAILED,     /* by EFFECT_STOPPED, because it could not go on */
    HOST_END_CRASH,      /* kill -9 */
    HOST_END_POWER_LOSS, /* the machine too */
};

/* What judges are told about a machine. Of a power loss they hear just before the disk forgets. */
enum host_change { HOST_BOOTED, HOST_READY, HOST_ENDED, HOST_LOSES_POWER, HOST_HAS_NEW_DISK };

/* An effect that was asked for and has not completed. */
struct pending {
    struct task task;
    struct list place; /* host->pendings, or host->arrived when it happened */
    struct host *host;
    struct effect effect;
    uint64_t digest; /* of what it points at */
    uint64_t covers; /* SYNC: the file's last change that it makes durable */
    uint64_t before; /* WRITE, TRUNCATE: the file's last change before it */
    uint64_t number; /* the trace's */
    uint64_t sent;   /* SEND: bytes that were handed over */
    bool happened;
    struct completion completion;
};

/* Settings of a machine's disk and clocks that faults turn; all zero: none. */
struct host_faults {
    uint32_t write_error_percent;
    uint32_t read_error_percent;
    uint32_t sync_error_percent;
    uint32_t open_error_percent;
    const char *path; /* only files with this in their path; NULL: any */
    uint32_t disk_factor;
    uint32_t node_factor;
    uint64_t stall_us; /* how long a write may stall the machine; drawn */
};

/* Which disk it is, whatever machine it is in. */
struct disk_label {
    uint32_t number; /* of all that there ever are; the first of a machine has the machine's */
    uint32_t owner;  /* the machine that it was formatted for */
    struct uuid directories[FILES_FOLDERS_MAX]; /* in a cluster: the ids of its data folders */
};

struct disk {
    struct disk_label label;
    struct files files;
};

struct host {
    struct sim *sim;
    uint32_t number; /* the node id, from 1 */
    char name[16];   /* "n1" */
    enum host_state state;
    enum host_end last_end;
    uint64_t boots;
    struct conf conf;
    struct memory conf_memory;
    struct settings_list next_file; /* what it starts with next; without items: with what it had */
    struct broker *broker;          /* NULL: OFF */
    struct effects effects;
    struct blocks blocks;   /* memory of the process */
    struct disk_label disk; /* that is in it, with these files */
    struct files files;
    struct disk *shelf;  /* that was in it before; NULL: none was */
    uint32_t disks_made; /* for it */
    struct chance files_rng;
    struct chance rng;
    struct list pendings; /* asked for, not happened */
    struct list arrived;  /* to be delivered: happened effects */
    struct list spare;    /* pendings to use again */
    uint32_t arrived_count;
    uint64_t last_effect;
    uint64_t timer_us; /* on the process's clock; TIMER_NEVER */
    bool stop_asked;
    bool stopped; /* EFFECT_STOPPED came */
    bool stopped_failed;
    bool timer_may_be_told; /* the last turn ended just now: nobody slept */
    bool powered;           /* false: nothing answers at its address */
    struct task turn_task;
    struct task timer_task;
    struct task start_task;
    uint64_t busy_until_us;
    uint64_t paused_until_us;
    int64_t wall_offset_ms;
    int64_t drift_ppm;
    uint64_t mono_base_us; /* the machine's clock at sim time `base_us` */
    uint64_t base_us;
    bool is_rotten; /* a bit of its logs flipped at rest: what is read may be refused */
    struct host_faults faults;
    struct host_knobs {
        bool partial_turns;       /* a turn brings some of what has arrived, not all */
        uint32_t at_once_percent; /* page-cache effects that complete within the turn */
        uint64_t sync_us_most;
        uint64_t read_us_most;
    } knobs;
};

/* A machine that is off, with empty disks. `settings` are key and value pairs over the defaults.
 * NULL when one is refused, with the reason. */
struct host *host_new(struct sim *sim, uint32_t number, const struct settings_list *settings,
                      char *ret_reason, size_t reason_bytes);
void host_free(struct host *host);

/* The next start of the process is with this configuration file, which is taken over. */
void host_give_file(struct host *host, struct settings_list *settings);

/* Starts the process; a no-op unless it is OFF. */
void host_start(struct host *host);

/* Starts it after `delay_us`, unless it runs by then. */
void host_start_in(struct host *host, uint64_t delay_us);

/* SIGTERM; kill -9; the plug. No-ops when it is OFF. */
void host_stop(struct host *host);
void host_crash(struct host *host);
void host_power_loss(struct host *host);

/* Another disk comes into a machine of a cluster that is OFF: one that is new and formatted, the
 * one that was in it before (there is one), another machine's in exchange. */
void host_disk_new(struct host *host);
void host_disk_back(struct host *host);
void host_disks_swap(struct host *one, struct host *other);

/* True when the data folder with this id is on the machine's disk. */
bool host_has_directory(const struct host *host, struct uuid directory);

/* Nothing runs on it for `duration_us`; syncs under way go on. */
void host_pause(struct host *host, uint64_t duration_us);

/* The wall clock jumps; both clocks run at another rate from now on. */
void host_wall_jump(struct host *host, int64_t ms);
void host_drift(struct host *host, int64_t parts_per_million);

/* The clocks as the process reads them. */
uint64_t host_mono_us(const struct host *host);
int64_t host_wall_ms(const struct host *host);

/* Something has arrived for the process: it takes a turn. */
void host_wake(struct host *host);

/* The network is through with a pending effect, whose completion is filled in. */
void host_completed(struct host *host, struct pending *pending);

/* Machines of one cluster share this number; one that is a cluster of its own has its own. */
static inline uint32_t host_cluster(const struct host *host)
{
    return host->conf.is_cluster ? 0 : host->number;
}

/* The first machine of its cluster, by which the cluster goes where something is the cluster's. */
static inline uint32_t host_realm(const struct host *host)
{
    uint32_t first = host->number;
    while (first > 1 && host_cluster(host->sim->hosts[first - 2]) == host_cluster(host))
        first--;
    return first;
}

/* Bits of its disk flipped, and nobody else has what was there. */
static inline bool host_is_stranded(const struct host *host)
{
    return host->is_rotten && !host->conf.is_cluster;
}

static inline bool host_runs(const struct host *host)
{
    return host->state != HOST_OFF;
}

#endif
