/* SPDX-License-Identifier: Apache-2.0 */
/* What a topic may be called. */
#include "core/meta/topics.h"
#include "core/wire/error.h"

int topic_check_name(struct span name, const char **ret_why)
{
    const char *why = NULL;
    if (name.length == 0)
        why = "A topic's name must not be empty.";
    else if (span_equal(name, SPAN(".")) || span_equal(name, SPAN("..")))
        why = "A topic's name must not be '.' or '..'.";
    else if (name.length > META_TOPIC_NAME_MAX)
        why = "A topic's name must not be longer than 249 characters.";
    for (size_t i = 0; i < name.length && why == NULL; i++) {
        const uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            why = "A topic's name may hold ASCII letters and digits, '.', '_' and '-' only.";
    }
    if (why == NULL)
        return ERR_NONE;
    *ret_why = why;
    return ERR_INVALID_TOPIC_EXCEPTION;
}

bool topic_is_internal(struct span name)
{
    return span_equal(name, SPAN("__consumer_offsets")) ||
           span_equal(name, SPAN("__transaction_state"));
}
