/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out the faults of a scenario, and those that the seed draws. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/host.h"

struct faults *faults_new(struct sim *sim);
void faults_free(struct faults *faults);

/* The load begins: plans what has a time. The load ends: takes back what lasts, and starts machines
 * that are down. */
void faults_start(struct faults *faults);
void faults_end(struct faults *faults);

/* A moment came on a machine: faults that wait for it fire. */
void faults_moment(struct faults *faults, struct host *host, enum moment_kind moment);

/* A process ended: one that gave up by itself is started again, as an operator would. */
void faults_host_ended(struct faults *faults, struct host *host);

/* What has fired so far, each as a fault that would do the same at the same time, without the
 * others. Borrowed; paths are the scenario's. */
const struct scenario_fault *faults_fired(const struct faults *faults, uint32_t *ret_count);

/* True when nothing was planned: then nothing may go wrong. */
bool faults_are_none(const struct faults *faults);

#endif
