/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as text: 22 characters of URL-safe base64 without padding (RFC 4648 section 5), as Kafka
 * shows them. */
#ifndef CORE_BASE_UUID_H
#define CORE_BASE_UUID_H

#include "core/base/span.h"

#define UUID_TEXT_LENGTH 22

/* An id's text, terminated; pass it on as `.text`. */
struct uuid_text {
    char text[UUID_TEXT_LENGTH + 1];
};

struct uuid_text uuid_text(struct uuid uuid);

/* Reads an id's text: 0, or -1 for anything that uuid_text() would not have written. */
int uuid_parse(struct span text, struct uuid *ret_uuid);

#endif
