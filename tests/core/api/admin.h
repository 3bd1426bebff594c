/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of an administrator, for the stories of the handlers that change or describe metadata. */
#ifndef TESTS_CORE_API_ADMIN_H
#define TESTS_CORE_API_ADMIN_H

#include "core/wire/error.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

struct admin {
    struct node node;
    struct client *client;
};

/* A node with these settings (see node_init), and a client of it. */
void admin_start(struct admin *admin, const char *const *settings);
void admin_end(struct admin *admin);

/* The next process of the node, and a client of it. */
void admin_restart(struct admin *admin);

/* A zeroed array that lives as long as the client. */
void *admin_array(struct admin *admin, size_t count, size_t size);

/* Asks about the topics with these names; NULL: about all, or with `count` 0 about none. */
const struct metadata_response *admin_metadata(struct admin *admin, int16_t version,
                                               const char *const *names, int32_t count);

/* Asks about one topic; it lives as long as the client. */
const struct metadata_response_topic *admin_topic(struct admin *admin, const char *name);

/* One topic to be created; fill in more of `topic` before admin_create(). */
struct create_topics_request *admin_creation(struct admin *admin, const char *name,
                                             int32_t partitions, int16_t replicas);
const struct create_topics_response_topic *admin_create(struct admin *admin, int16_t version,
                                                        const struct create_topics_request *create);

/* Both in one, with the newest version; the error. */
int admin_make(struct admin *admin, const char *name, int32_t partitions);

#endif
