/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the topics of a scenario on every broker, before the load begins. */
#ifndef SIM_SETUP_H
#define SIM_SETUP_H

#include "sim/sim.h"

struct setup;
struct create_topics_request_topic;

/* Fills in what makes the topic as the scenario has it; without a number of replicas there, it is
 * the broker's default. */
void setup_topic(struct exchange *exchange, struct create_topics_request_topic *topic,
                 const struct scenario_topic *plan);

struct setup *setup_new(struct sim *sim);
void setup_free(struct setup *setup);

/* Begins as soon as the brokers serve. */
void setup_start(struct setup *setup);

/* True when every broker serves and has the topics. */
bool setup_is_done(const struct setup *setup);
/* Which do not yet. */
void setup_explain(const struct setup *setup, char *ret_text, size_t text_bytes);

#endif
