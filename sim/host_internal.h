/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a machine share: sim/host*.c. */
#ifndef SIM_HOST_INTERNAL_H
#define SIM_HOST_INTERNAL_H

#include "sim/host.h"

/* Hands one event to the broker, and what it asked for on. */
void host_deliver(struct host *host, struct event event, struct span payload, uint64_t cause);

/* Takes over what the broker has asked for since the last call. */
void host_take_effects(struct host *host);

/* A turn, when something has arrived or is due. */
void host_turn(struct task *task);

/* The file effects: when they happen, and how they fail. */
void host_file_submit(struct host *host, struct pending *pending);

/* The effect happened, and waits for its turn to be told. */
void host_happened(struct host *host, struct pending *pending);

/* Some of what was under way when a process ended has happened, some in part. */
void host_happen_perhaps(struct host *host);

/* `digest`: of what the effect points at (sim/effect_digest.h). */
struct pending *host_pending_new(struct host *host, const struct effect *effect, uint64_t digest);
void host_pending_free(struct host *host, struct pending *pending);

/* The time of the world at which the process's clock shows `mono_us`. */
uint64_t host_time_of(const struct host *host, uint64_t mono_us);
void host_timer_arm(struct host *host);

/* Gives the empty disk of a node of a cluster its identity. */
void host_disk_format(struct host *host);

/* The process is gone; its connections are told unless `silent`. */
void host_ended(struct host *host, enum host_end end);

#endif
