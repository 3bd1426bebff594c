/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching, in stories: what is made lives as long as the client. */
#ifndef TESTS_SUPPORT_FETCH_H
#define TESTS_SUPPORT_FETCH_H

#include "tests/support/client.h"

/* A request for partition 0 of a topic from an offset on, which waits max_wait_ms for a record. */
struct fetch_request *fetch_of(struct client *client, struct span topic, int64_t offset,
                               int32_t max_wait_ms);

#endif
