/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who watches a run and objects. A judge is one file, sim/judge_NAME.c, that defines one struct
 * judge_kind, declared below and named in the list of sim/judge.c. Judges of what clients were
 * promised look at exchanges and at the disk's worst-case image (sim/files.h), never at the core's
 * fields; judges of the core's inner state look through core/view.h alone. What a call costs is
 * proportional to what changed.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "sim/durable.h"
#include "sim/peer.h"

struct judge;

struct judge_kind {
    const char *name;    /* "acked-is-durable" */
    const char *rule;    /* what must hold, in a sentence */
    const char *source;  /* whence: KIP, paper, contract */
    size_t size;         /* of its state, which starts zeroed */
    bool is_of_one_node; /* it looks at one machine's disk or partitions: not in a cluster */
    bool is_of_cluster;  /* it looks at what nodes share: nowhere else */
    void (*begin)(struct judge *judge);
    void (*asked)(struct judge *judge, const struct exchange *exchange);
    void (*replied)(struct judge *judge, const struct exchange *exchange);
    void (*received)(struct judge *judge, const struct exchange *exchange);
    void (*lost)(struct judge *judge, const struct exchange *exchange);
    void (*host_changed)(struct judge *judge, struct host *host, enum host_change change);
    void (*stepped)(struct judge *judge, struct host *host, const struct event *event);
    void (*phase)(struct judge *judge, enum sim_phase phase); /* it begins */
    void (*end)(struct judge *judge); /* the run is over; gives its memory back, objects no more */
};

struct judge {
    const struct judge_kind *kind;
    struct sim *sim;
    void *state;
    struct memory memory; /* for what the state points at */
    uint64_t judged;      /* how often it had something to judge */
};

extern const struct judge_kind judge_order;
extern const struct judge_kind judge_acked_is_durable;
extern const struct judge_kind judge_commit_is_durable;
extern const struct judge_kind judge_change_is_durable;
extern const struct judge_kind judge_history;
extern const struct judge_kind judge_epochs;
extern const struct judge_kind judge_epoch_cache;
extern const struct judge_kind judge_images;
extern const struct judge_kind judge_liveness;
extern const struct judge_kind judge_expected;
extern const struct judge_kind judge_idempotence;
extern const struct judge_kind judge_groups;
extern const struct judge_kind judge_commits;
extern const struct judge_kind judge_calm;
extern const struct judge_kind judge_contract;
extern const struct judge_kind judge_limits;
extern const struct judge_kind judge_links;
extern const struct judge_kind judge_metadata;
extern const struct judge_kind judge_quorum;
extern const struct judge_kind judge_majority;
extern const struct judge_kind judge_check_quorum;
extern const struct judge_kind judge_votes;
extern const struct judge_kind judge_voter_changes;
extern const struct judge_kind judge_leases;
extern const struct judge_kind judge_fencing;
extern const struct judge_kind judge_partitions;
extern const struct judge_kind judge_replicas;
extern const struct judge_kind judge_unclean;

/* All of them, over a world whose machines are there. */
struct judges *judges_new(struct sim *sim);

/* These `count` kinds alone. */
struct judges *judges_new_of(struct sim *sim, const struct judge_kind *const *of, uint32_t count);
void judges_free(struct judges *judges);
uint32_t judges_count(const struct judges *judges);
const struct judge *judges_get(const struct judges *judges, uint32_t index);

/* What is durable of a machine's metadata at this moment; of a node of a cluster, what it knows. */
const struct durable *judge_durable(const struct judge *judge, const struct host *host);

/* What a cluster has committed of its metadata at this moment, whoever knows it already; NULL when
 * that is not known. */
const struct image *judges_truth(const struct judges *judges);
const struct image *judge_truth(const struct judge *judge);

/* What it has committed of its log, of which that image is made; and who votes. */
const struct committed *judges_committed(const struct judges *judges);

/* A disk, in a machine or taken out of it. */
struct disk_view {
    uint32_t number; /* of struct disk_label */
    const struct files *files;
};

/* The disk with this data folder, wherever it is; false when it was thrown away. */
bool judge_disk_with(const struct judge *judge, struct uuid directory, struct disk_view *ret_disk);

/* The disk by which a cluster knows the machine, that its broker registered last with: it may have
 * been taken out since, and counts as what it was then. False when it was thrown away. Of a machine
 * alone it is the one that is in it. */
bool judge_disk(const struct judge *judge, const struct host *host, struct disk_view *ret_disk);

/* `observer` is told of each record that a cluster commits, until it is taken out of its list. */
void judge_observe_truth(struct judge *judge, struct image_observer *observer);

/* True where nothing goes wrong that anybody would have to be elected for. */
bool judge_forbids_elections(const struct judge *judge);

/* Ends the run, unless somebody has objected before; the latter for what should have ended. */
void judge_object(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void judge_object_late(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Told by the rest of the world, to every judge that wants to hear it. */
void judges_asked(struct judges *judges, const struct exchange *exchange);
void judges_replied(struct judges *judges, const struct exchange *exchange);
void judges_received(struct judges *judges, const struct exchange *exchange);
void judges_lost(struct judges *judges, const struct exchange *exchange);
void judges_host_changed(struct judges *judges, struct host *host, enum host_change change);
void judges_stepped(struct judges *judges, struct host *host, const struct event *event);
void judges_phase(struct judges *judges, enum sim_phase phase);

/* All replicas of the partition are in sync, but for those on whose disks bits flipped: a log that
 * is damaged is refused. Where nobody but such a one can lead, it may be unable to feed others. */
bool judge_is_in_sync(const struct sim *sim, const struct meta_partition *partition);

/* A machine leads the partition on whose disk bits flipped: what it sends may be damaged. */
bool judge_is_led_by_rotten(const struct judge *judge, struct uuid topic_id, int32_t index);

/* False while a partition of a cluster has no leader, or replicas that have to be in sync and are
 * not. */
bool judges_are_all_in_sync(const struct judges *judges);

#endif
