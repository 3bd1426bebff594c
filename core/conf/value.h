/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one value, and saying what is wrong with it. For core/conf alone. */
#ifndef CORE_CONF_VALUE_H
#define CORE_CONF_VALUE_H

#include <stdarg.h>

#include "core/base/span.h"
#include "core/conf/conf.h"

#define CONF_MESSAGE_BYTES   768
#define CONF_VALUE_BYTES_MAX 16384

/* A sentence that may quote what came from outside: cut at its capacity, and without control
 * characters, so that it is one line in any log. */
struct conf_message {
    char text[CONF_MESSAGE_BYTES];
};

void conf_message(struct conf_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void conf_message_v(struct conf_message *message, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* For "%.*s": as much of a foreign text as a message quotes. */
#define QUOTED_BYTES_MAX 120
#define QUOTED(span)                                                            \
    (int)((span).length < QUOTED_BYTES_MAX ? (span).length : QUOTED_BYTES_MAX), \
        (span).length == 0 ? "" : (const char *)(span).data

/* Tells the settings' owner about one finding (core/conf/conf.h), made by core/base/format.h. */
void conf_finding(const struct conf *conf, bool is_refused, uint32_t place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* `text` without the blanks at its ends. */
struct span conf_trim(struct span text);

/* Takes the next item of a comma-separated list off *rest, trimmed; false at the end. An empty list
 * has no items. */
bool conf_list_next(struct span *rest, struct span *ret_item);

/* Equal but for the case of ASCII letters. */
bool conf_same(struct span a, struct span b);

/* Reads `text` as a value of a key's type, within its range. `name` is the key's in the message: a
 * topic key has another than the node key whose range it has. Texts are borrowed. Returns 0, or -1
 * with what is wrong in *message. */
int conf_value_read(const struct conf_key_info *info, const char *name, struct span text,
                    struct conf_value *ret_value, struct conf_message *message);

#endif
