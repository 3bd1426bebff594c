/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/endpoint.h"

#include "core/base/format.h"

#define LISTENER_NAME_BYTES_MAX 64
#define HOST_BYTES_MAX          255

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.length; i++) {
        const uint8_t byte = name.data[i];
        if (!is_letter_or_digit(byte) && byte != '_' && byte != '-' && byte != '.')
            return false;
    }
    return name.length > 0 && name.length <= LISTENER_NAME_BYTES_MAX;
}

/* Letters, digits and "-._" of names and IPv4 addresses; ":" and "%" of IPv6 ones. */
static bool is_host(struct span host, bool in_brackets)
{
    for (size_t i = 0; i < host.length; i++) {
        const uint8_t byte = host.data[i];
        if (!is_letter_or_digit(byte) && byte != '-' && byte != '.' && byte != '_' &&
            !(in_brackets && (byte == ':' || byte == '%')))
            return false;
    }
    return host.length <= HOST_BYTES_MAX && (!in_brackets || host.length > 0);
}

static int read_port(struct span text, uint16_t *ret_port)
{
    int64_t port;
    if (parse_int64(text, &port) != 0 || port < 0 || port > UINT16_MAX)
        return -1;
    *ret_port = (uint16_t)port;
    return 0;
}

const char *endpoint_read_address(struct span text, const char *form, struct endpoint *ret_endpoint)
{
    size_t colon = text.length;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return form;
    struct endpoint endpoint = {.host = span_of(text.data, colon - 1)};
    const size_t length = endpoint.host.length;
    const bool in_brackets =
        length >= 2 && endpoint.host.data[0] == '[' && endpoint.host.data[length - 1] == ']';
    if (in_brackets)
        endpoint.host = span_of(endpoint.host.data + 1, length - 2);
    if (!is_host(endpoint.host, in_brackets))
        return "has a host that is neither a name nor an address (IPv6 goes in brackets: [::1])";
    if (read_port(span_of(text.data + colon, text.length - colon), &endpoint.port) != 0)
        return "has a port that is not a number from 0 to 65535";
    *ret_endpoint = endpoint;
    return NULL;
}

const char *endpoint_read(struct span text, struct endpoint *ret_endpoint)
{
    static const char form[] = "is not of the form NAME://host:port";
    size_t at = 0;
    while (at < text.length && text.data[at] != ':')
        at++;
    if (text.length - at < 3 || memcmp(text.data + at, "://", 3) != 0)
        return form;
    const struct span name = span_of(text.data, at);
    if (!is_name(name))
        return "has a name that is not made of letters, digits, '_', '-' and '.'";
    const char *wrong = endpoint_read_address(span_of(text.data + at + 3, text.length - at - 3),
                                              form, ret_endpoint);
    if (wrong == NULL)
        ret_endpoint->name = name;
    return wrong;
}

bool endpoint_is_every_address(struct span host)
{
    return span_equal(host, SPAN("0.0.0.0")) || span_equal(host, SPAN("::")) ||
           span_equal(host, SPAN("0:0:0:0:0:0:0:0"));
}
