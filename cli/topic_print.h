/* SPDX-License-Identifier: Apache-2.0 */
/* How "chronik topic" shows topics. */
#ifndef CLI_TOPIC_PRINT_H
#define CLI_TOPIC_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/wire/messages.h"

/* Sorts the topics of a response by name, and their partitions by number. */
void topic_sort(struct metadata_response *response);

/* Ids of brokers: "1,2,3". Returns the width. */
int topic_print_nodes(FILE *out, const int32_t *nodes, int32_t count);

/* All topics: a table with a head, or a line of JSON for each. */
void topic_print_list(FILE *out, const struct metadata_response *response, bool json);

/* One topic with its partitions and the settings that are its own (NULL: none are known). */
void topic_print_description(FILE *out, const struct metadata_response_topic *topic,
                             const struct describe_configs_response_result *configs, bool json);

#endif
