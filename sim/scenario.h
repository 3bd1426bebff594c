/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is about: machines and their settings, clients and what they do, faults, and what is
 * expected. Plain data: sim/scenario_parse.c reads it from JSON, doc/SIMULATOR.md tells the
 * language.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

/* From `least` to `most`, drawn by the seed; equal: a fixed number. */
struct range {
    uint64_t least;
    uint64_t most;
};

struct setting {
    char *key;
    char *value;
};

struct settings_list {
    struct setting *items;
    uint32_t count;
};

/* Gives the settings back; the list is empty then. */
void settings_list_free(struct settings_list *list);

/* A machine with a broker. Numbers start at 1, and are the node ids. */
struct scenario_node {
    struct settings_list settings;
};

/* A topic that is there before the clients start. */
struct scenario_topic {
    char *name;
    uint32_t partitions;
    uint32_t replication_factor; /* 0: the broker's own */
    struct settings_list config;
};

enum client_kind {
    CLIENT_PRODUCER,
    CLIENT_CONSUMER, /* of all partitions of a topic, without a group */
    CLIENT_MEMBER,   /* of a consumer group */
    CLIENT_ADMIN,    /* creates, deletes and recreates topics, asks for everything */
    CLIENT_HOSTILE,  /* sends what no client should */
    CLIENT_SILENT,   /* connects, and sends nothing */
    CLIENT_OPERATOR, /* sees to it that all disks of a cluster vote */
    CLIENT_KINDS
};

/* Clients of one kind: `count` of them. Zero in a range means the kind's default. */
struct scenario_client {
    enum client_kind kind;
    uint32_t count;
    uint32_t node; /* which broker it bootstraps from; 0: any */
    char *topic;   /* NULL: the first one of the scenario; admins: only their own */
    char *group;   /* members */
    int8_t acks;   /* producers: -1, 0, 1 */
    bool idempotent;
    bool sessions;              /* consumers: with fetch sessions */
    bool is_static;             /* members: with an instance id */
    bool elects_only;           /* admins: they ask for elections alone */
    bool sets_defaults_only;    /* admins: they set what counts for all brokers */
    bool deletes_only;          /* admins: they delete records */
    struct range in_flight;     /* requests at once on a connection */
    struct range batch_records; /* in a batch */
    struct range record_bytes;  /* of a value */
    struct range pause_us;      /* between two actions */
    struct range life_ms;       /* members and hostile ones go, and come again; 0: they stay */
    struct range timeout_ms;    /* until a request counts as lost */
    uint64_t records;           /* producers stop after so many; 0: when the load ends */
};

enum fault_kind {
    FAULT_CRASH,       /* kill -9: what was written stays */
    FAULT_POWER_LOSS,  /* what no sync covered is kept, lost, torn or reordered */
    FAULT_STOP,        /* an orderly end (SIGTERM) */
    FAULT_PAUSE,       /* the process stands still (SIGSTOP) */
    FAULT_SLOW_NODE,   /* everything that the process does takes `factor` times as long */
    FAULT_WALL_JUMP,   /* the wall clock jumps by `amount` ms, either way */
    FAULT_CLOCK_DRIFT, /* both clocks run by `amount` parts in a million too fast or too slow */
    FAULT_PARTITION,   /* nothing passes between `amount` parts of the net, any way */
    FAULT_ONE_WAY,     /* nothing passes from the machines to the others, or the other way */
    FAULT_RESET,       /* connections are cut, at any byte */
    FAULT_HALF_OPEN,   /* clients vanish without a word */
    FAULT_SLOW_LINK,   /* latency is `factor` times as long */
    FAULT_WRITE_ERROR, /* writes fail with EIO, some after a part */
    FAULT_READ_ERROR,
    FAULT_SYNC_ERROR,   /* a sync fails, and what it should have covered is lost at power loss */
    FAULT_OPEN_ERROR,   /* opening, creating, renaming, removing, truncating fail */
    FAULT_DISK_FULL,    /* no space beyond what is in use */
    FAULT_SLOW_DISK,    /* everything that the disk does takes `factor` times as long */
    FAULT_WRITE_STALL,  /* a write stalls the whole node */
    FAULT_BIT_ROT,      /* a bit of a closed or settled part of a file flips */
    FAULT_EMPTY_DISK,   /* the machine comes back with another disk, which has nothing on it */
    FAULT_OLD_DISK,     /* it comes back with the disk that it had before */
    FAULT_SWAP_DISKS,   /* two machines have each other's disk */
    FAULT_CUT_LINK,     /* nothing passes between two machines */
    FAULT_ONE_WAY_LINK, /* nothing passes from one machine to another */
    FAULT_OTHER_FILE,   /* the process ends in order, and starts with another configuration file */
    FAULT_KINDS
};

/* A moment that a fault may wait for. */
enum moment_kind {
    MOMENT_NONE,
    MOMENT_WRITE_IN_FLIGHT,
    MOMENT_SYNC_IN_FLIGHT,
    MOMENT_FOLDER_SYNC_IN_FLIGHT,
    MOMENT_RENAME_IN_FLIGHT,
    MOMENT_READ_IN_FLIGHT,
    MOMENT_SEND_IN_FLIGHT,
    MOMENT_BOOTING, /* between the start and being ready */
    MOMENT_STOPPING,
    MOMENT_KINDS
};

/* One fault, or a row of them: at `at_ms`, or drawn again and again from `from_ms` to `to_ms` with
 * `every_ms` between two, or when `when` comes (for the `nth` time, counted from 1 and after
 * `from_ms`). It lasts `lasts_ms`; machines that crashed start again after that. */
struct scenario_fault {
    enum fault_kind kind;
    uint32_t node;       /* 0: drawn */
    uint32_t other_node; /* of a link; 0: drawn */
    bool hits_all_nodes; /* at once */
    struct range count;  /* or so many of them; 0: one */
    struct range at_ms;
    struct range at_us; /* instead of at_ms */
    struct range from_ms;
    struct range to_ms;
    struct range every_ms; /* most 0: once */
    struct range lasts_ms;
    struct range flap_ms; /* splits: after so long it goes, and comes again; most 0: it stays */
    struct range amount; /* factor, parts in a million, ms, percent of what fails, parts of a net */
    enum moment_kind when;
    struct range nth;
    bool again;    /* after it came it waits for `when` anew */
    char *path;    /* file faults: only files with this in their path; NULL: any */
    uint64_t draw; /* which stream of chance it draws from; 0: that of its turn */
};

/* What the outcome has to be, besides that no judge objects. */
struct scenario_expect {
    uint64_t acked_least;     /* records acknowledged */
    uint64_t consumed_least;  /* records that consumers saw */
    uint64_t steps_most;      /* the whole run; 0: any number */
    bool errors_allowed;      /* without faults too */
    uint64_t latency_ms_most; /* without faults, a request's; 0: the default */
    bool no_elections;        /* with faults too */
};

struct scenario {
    char *name;           /* of the file, without folder and extension */
    char *tells;          /* one sentence, and whence it comes */
    bool is_soak;         /* long and quiet: runs once, whatever the seeds */
    uint64_t seed;        /* it runs once, with this; 0: with the seeds that are asked for */
    struct range load_ms; /* how long clients work and faults come */
    uint64_t settle_ms;   /* after faults have stopped: until all that was asked must have ended */
    struct scenario_node *nodes;
    uint32_t nodes_count;
    bool is_cluster;               /* all nodes are one: each is a voter of the quorum */
    struct settings_list settings; /* of each node that has not its own */
    struct scenario_topic *topics;
    uint32_t topics_count;
    struct scenario_client *clients;
    uint32_t clients_count;
    struct scenario_fault *faults;
    uint32_t faults_count;
    bool files_differ; /* the seed draws some settings of each node (sim/node_file.c) */
    bool draws_knobs;  /* the seed draws settings too (sim/knobs.c) */
    bool draws_faults; /* the seed draws faults too (sim/swarm.c) */
    struct scenario_expect expect;
};

/* The group of a line of members: its own, or "group". Borrowed. */
static inline struct span scenario_group(const struct scenario_client *client)
{
    return client->group == NULL ? SPAN("group") : span_text(client->group);
}

/* Gives everything back that a scenario points at. */
void scenario_free(struct scenario *scenario);

#endif
