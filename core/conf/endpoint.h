/* SPDX-License-Identifier: Apache-2.0 */
/* Reading addresses of listeners and voters, in settings and on command lines. */
#ifndef CORE_CONF_ENDPOINT_H
#define CORE_CONF_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

/* NAME://host:port, in its parts. */
struct endpoint {
    struct span name;
    struct span host; /* without the brackets of an IPv6 address */
    uint16_t port;
};

/* Reads NAME://host:port; texts are borrowed from `text`. Returns NULL, or what is wrong with it, a
 * literal that goes on from the quoted text. */
const char *endpoint_read(struct span text, struct endpoint *ret_endpoint);

/* Reads host:port, likewise, and without a name. Where there is no port at all it is `form` that is
 * returned. */
const char *endpoint_read_address(struct span text, const char *form,
                                  struct endpoint *ret_endpoint);

/* True of an address that means "all addresses of this machine", which nobody can connect to. */
bool endpoint_is_every_address(struct span host);

#endif
