/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/conf/settings.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/base/format.h"

static void report(void *context, bool is_refused, uint32_t place, struct span text)
{
    struct settings *settings = context;
    const size_t length = strlen(settings->findings);
    const size_t room = sizeof(settings->findings) - length;
    const int written = snprintf(settings->findings + length, room, "%s %u: %.*s\n",
                                 is_refused ? "refused" : "warned", place, SPAN_ARGS(text));
    ck_assert_int_lt(written, (int)room);
}

void settings_read(struct settings *settings, const char *lines)
{
    *settings = (struct settings){.result = 0};
    heap_memory(&settings->heap, &settings->memory);
    conf_init(&settings->conf, &settings->memory, report, settings);
    uint32_t place = 1;
    for (const char *at = lines; *at != '\0'; place++) {
        const char *end = strchr(at, '\n');
        const size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
        const char *equals = memchr(at, '=', length);
        ck_assert_ptr_nonnull(equals);
        settings->result |=
            conf_set(&settings->conf, span_of(at, (size_t)(equals - at)),
                     span_of(equals + 1, length - (size_t)(equals - at) - 1), place);
        at += length + (end != NULL);
    }
    /* The text is the caller's, and gone afterwards. */
    static char host_name[16];
    snprintf(host_name, sizeof(host_name), "broker.example");
    settings->result |= conf_check(&settings->conf, span_text(host_name));
    memset(host_name, '?', sizeof(host_name));
}

void settings_free(struct settings *settings)
{
    conf_free(&settings->conf);
    ck_assert_uint_eq(settings->heap.blocks, 0);
}
