/* SPDX-License-Identifier: Apache-2.0 */
/* Inside sim/judge_metadata.c: answers that tell of topics, and of the nodes of a cluster. */
#ifndef SIM_METADATA_ANSWERS_H
#define SIM_METADATA_ANSWERS_H

#include "sim/judge.h"

/* The image, when an answer about the topic with this name has to agree with it: the core has
 * applied it since before the question, and nothing of that topic has changed meanwhile; else NULL.
 * Likewise of an answer about brokers. */
const struct image *metadata_truth(struct judge *judge, const struct exchange *exchange,
                                   struct span name);
const struct image *metadata_truth_of_brokers(struct judge *judge, const struct exchange *exchange);

/* Objects that the answer tells something else of `name` than the metadata log does. */
void metadata_differs(struct judge *judge, const struct exchange *exchange, struct span name,
                      const char *what, long long told, long long is);

/* An answer about a partition (or, with −1, a topic) that tells whether it is there. */
void metadata_judge_presence(struct judge *judge, const struct exchange *exchange, struct span name,
                             int32_t partition, int16_t error);

/* A cluster has one id for ever; null: the answer tells none. */
void metadata_judge_cluster_id(struct judge *judge, const struct exchange *exchange,
                               struct span cluster_id);

/* Answers about topics: sim/metadata_topics.c. */
void metadata_topics_replied(struct judge *judge, const struct exchange *exchange);
void metadata_partitions_replied(struct judge *judge, const struct exchange *exchange);
void metadata_log_dirs_replied(struct judge *judge, const struct exchange *exchange);

/* Answers about nodes: sim/metadata_nodes.c. A node names itself as the controller: it passes on
 * what that alone may do. */
void metadata_nodes_replied(struct judge *judge, const struct exchange *exchange);
void metadata_cluster_replied(struct judge *judge, const struct exchange *exchange);
void metadata_quorum_replied(struct judge *judge, const struct exchange *exchange);

/* What brokers tell of settings: sim/metadata_settings.c. The answer is asked for whole. */
void metadata_settings_replied(struct judge *judge, const struct exchange *exchange,
                               const struct describe_configs_response_result *result);

/* A broker as an answer tells of it. */
struct address_told {
    int32_t id;
    struct span host;
    int32_t port;
    struct span rack;
};

void metadata_address_told(struct judge *judge, const struct exchange *exchange,
                           const struct address_told *told);

#endif
