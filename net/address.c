/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void every_address(uint16_t port, struct address *ret_address)
{
    const struct sockaddr_in6 any = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
        .sin6_addr = in6addr_any,
    };
    *ret_address = (struct address){.length = sizeof(any)};
    memcpy(&ret_address->storage, &any, sizeof(any));
}

/* Asks the resolver, with its flags. Returns 0 or its error. */
static int look_up(struct span host, uint16_t port, int flags, struct address *ret_address)
{
    char name[HOST_BYTES_MAX + 1];
    memcpy(name, host.data, host.length);
    name[host.length] = '\0';
    char service[8];
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = flags | AI_NUMERICSERV,
    };
    struct addrinfo *found;
    const int error = getaddrinfo(name, service, &hints, &found);
    if (error != 0)
        return error;
    const struct addrinfo *chosen = found;
    for (const struct addrinfo *each = found->ai_next; each != NULL && chosen->ai_family != AF_INET;
         each = each->ai_next)
        if (each->ai_family == AF_INET)
            chosen = each;
    *ret_address = (struct address){.length = chosen->ai_addrlen};
    memcpy(&ret_address->storage, chosen->ai_addr, chosen->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static bool is_possible(struct span host)
{
    return host.length <= HOST_BYTES_MAX && memchr(host.data, '\0', host.length) == NULL;
}

static const char impossible[] = "the host's name is too long or contains a zero byte";

const char *address_resolve(struct span host, uint16_t port, struct address *ret_address)
{
    if (host.length == 0) {
        every_address(port, ret_address);
        return NULL;
    }
    if (!is_possible(host))
        return impossible;
    const int error = look_up(host, port, AI_PASSIVE, ret_address);
    return error == 0 ? NULL : gai_strerror(error);
}

const char *address_find(struct span host, uint16_t port, struct address *ret_address,
                         bool *ret_unknown)
{
    *ret_unknown = true;
    if (host.length == 0)
        return "there is no name";
    if (!is_possible(host))
        return impossible;
    const int error = look_up(host, port, 0, ret_address);
    *ret_unknown = error == EAI_NONAME;
    return error == 0 ? NULL : gai_strerror(error);
}

bool address_parse(struct span host, uint16_t port, struct address *ret_address)
{
    return host.length > 0 && is_possible(host) &&
           look_up(host, port, AI_NUMERICHOST, ret_address) == 0;
}

uint16_t address_port(const struct address *address)
{
    if (address->storage.ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, &address->storage, sizeof(six));
        return ntohs(six.sin6_port);
    }
    struct sockaddr_in four;
    memcpy(&four, &address->storage, sizeof(four));
    return ntohs(four.sin_port);
}

void address_print(const struct address *address, char ret_text[ADDRESS_TEXT_BYTES_MAX])
{
    char text[INET6_ADDRSTRLEN] = "?";
    const unsigned port = address_port(address);
    if (address->storage.ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, &address->storage, sizeof(four));
        inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text));
        snprintf(ret_text, ADDRESS_TEXT_BYTES_MAX, "%s:%u", text, port);
        return;
    }
    struct sockaddr_in6 six;
    memcpy(&six, &address->storage, sizeof(six));
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
        inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof(text));
        snprintf(ret_text, ADDRESS_TEXT_BYTES_MAX, "%s:%u", text, port);
        return;
    }
    inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
    snprintf(ret_text, ADDRESS_TEXT_BYTES_MAX, "[%s]:%u", text, port);
}
