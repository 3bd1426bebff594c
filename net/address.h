/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: from a host's name, and as text. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/span.h"

/* "[address]:port" of the longest kind, terminated. */
#define ADDRESS_TEXT_BYTES_MAX 64

/* Longest host name (RFC 1035). */
#define HOST_BYTES_MAX 255

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/*
 * The address that a listener at `host`:`port` binds to: a number, or a name of this machine, of
 * which an IPv4 address is preferred, as Kafka does. An empty host is every address.
 * Returns NULL, or the reason why there is none.
 */
const char *address_resolve(struct span host, uint16_t port, struct address *ret_address);

/* The address of another machine's `host`:`port`, likewise; it may wait for a name server.
 * `*ret_unknown`: the reason is that there is no such host, and not that nobody could be asked. */
const char *address_find(struct span host, uint16_t port, struct address *ret_address,
                         bool *ret_unknown);

/* The same for a host that is a number; false when it is a name. Never waits. */
bool address_parse(struct span host, uint16_t port, struct address *ret_address);

/* The port of an IPv4 or IPv6 address. */
uint16_t address_port(const struct address *address);

/* Writes "address:port", IPv6 in brackets, IPv4 that came by way of IPv6 as IPv4. */
void address_print(const struct address *address, char ret_text[ADDRESS_TEXT_BYTES_MAX]);

#endif
