/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/listeners.h"

#include "core/base/format.h"
#include "core/conf/value.h"

#define LISTENER_NAME_BYTES_MAX 64
#define HOST_BYTES_MAX          255

/* NAME://host:port, in its parts. */
struct endpoint {
    struct span name;
    struct span host; /* without the brackets of an IPv6 address */
    uint16_t port;
};

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

/* Reads one endpoint. Returns NULL, or what is wrong with it. */
static const char *read_endpoint(struct span text, struct endpoint *ret_endpoint)
{
    static const char form[] = "is not of the form NAME://host:port";
    size_t at = 0;
    while (at < text.length && text.data[at] != ':')
        at++;
    if (text.length - at < 3 || memcmp(text.data + at, "://", 3) != 0)
        return form;
    struct endpoint endpoint = {.name = span_of(text.data, at)};
    if (!is_name(endpoint.name))
        return "has a name that is not made of letters, digits, '_', '-' and '.'";
    const struct span rest = span_of(text.data + at + 3, text.length - at - 3);
    size_t colon = rest.length;
    while (colon > 0 && rest.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return form;
    endpoint.host = span_of(rest.data, colon - 1);
    const size_t length = endpoint.host.length;
    const bool in_brackets =
        length >= 2 && endpoint.host.data[0] == '[' && endpoint.host.data[length - 1] == ']';
    if (in_brackets)
        endpoint.host = span_of(endpoint.host.data + 1, length - 2);
    if (!is_host(endpoint.host, in_brackets))
        return "has a host that is neither a name nor an address (IPv6 goes in brackets: [::1])";
    if (read_port(span_of(rest.data + colon, rest.length - colon), &endpoint.port) != 0)
        return "has a port that is not a number from 0 to 65535";
    *ret_endpoint = endpoint;
    return NULL;
}

/* An address that means "all addresses of this machine", which no client can connect to. */
static bool is_every_address(struct span host)
{
    return span_equal(host, SPAN("0.0.0.0")) || span_equal(host, SPAN("::")) ||
           span_equal(host, SPAN("0:0:0:0:0:0:0:0"));
}

static bool list_has(struct span list, struct span name)
{
    struct span item;
    while (conf_list_next(&list, &item)) {
        if (conf_same(item, name))
            return true;
    }
    return false;
}

static struct conf_listener *find_listener(struct conf *conf, struct span name)
{
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        if (conf_same(conf->listeners[i].name, name))
            return &conf->listeners[i];
    }
    return NULL;
}

/* The security protocol of a listener name; null when the map has none. */
static struct span protocol_of(const struct conf *conf, struct span name)
{
    struct span rest = conf_text(conf, CONF_LISTENER_SECURITY_PROTOCOL_MAP);
    struct span pair;
    while (conf_list_next(&rest, &pair)) {
        const uint8_t *colon = pair.length == 0 ? NULL : memchr(pair.data, ':', pair.length);
        if (colon == NULL)
            continue;
        const size_t length = (size_t)(colon - pair.data);
        if (conf_same(conf_trim(span_of(pair.data, length)), name))
            return conf_trim(span_of(colon + 1, pair.length - length - 1));
    }
    return SPAN_NULL;
}

static int check_protocol_map(const struct conf *conf)
{
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    struct span rest = conf_text(conf, CONF_LISTENER_SECURITY_PROTOCOL_MAP);
    struct span pair;
    while (conf_list_next(&rest, &pair)) {
        const uint8_t *colon = pair.length == 0 ? NULL : memchr(pair.data, ':', pair.length);
        bool known = false;
        for (size_t i = 0; colon != NULL && i < sizeof(protocols) / sizeof(protocols[0]); i++) {
            const size_t length = pair.length - (size_t)(colon - pair.data) - 1;
            known =
                known || conf_same(conf_trim(span_of(colon + 1, length)), span_text(protocols[i]));
        }
        if (!known) {
            conf_finding(conf, true, conf->values[CONF_LISTENER_SECURITY_PROTOCOL_MAP].place,
                         "listener.security.protocol.map: '%.*s' is not of the form NAME:PROTOCOL "
                         "with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
                         QUOTED(pair));
            return -1;
        }
    }
    return 0;
}

static int check_protocol(const struct conf *conf, struct span name, uint32_t place)
{
    const struct span protocol = protocol_of(conf, name);
    if (conf_same(protocol, SPAN("PLAINTEXT")))
        return 0;
    if (span_is_null(protocol))
        conf_finding(conf, true, place,
                     "listeners: %.*s has no security protocol; add %.*s:PLAINTEXT to "
                     "listener.security.protocol.map",
                     QUOTED(name), QUOTED(name));
    else
        conf_finding(conf, true, place,
                     "listeners: %.*s needs %.*s, which is not served yet; use PLAINTEXT, on a "
                     "network that you trust",
                     QUOTED(name), QUOTED(protocol));
    return -1;
}

/* True when one socket would take the other's port. */
static bool clash(const struct conf_listener *a, const struct endpoint *b)
{
    if (a->port == 0 || a->port != b->port)
        return false;
    return a->host.length == 0 || b->host.length == 0 || is_every_address(a->host) ||
           is_every_address(b->host) || conf_same(a->host, b->host);
}

static int add_listener(struct conf *conf, const struct endpoint *endpoint)
{
    const uint32_t place = conf->values[CONF_LISTENERS].place;
    if (list_has(conf_text(conf, CONF_CONTROLLER_LISTENER_NAMES), endpoint->name)) {
        conf_finding(conf, false, place,
                     "listeners: %.*s is for controllers and is not opened: a single node is its "
                     "own controller",
                     QUOTED(endpoint->name));
        return 0;
    }
    if (find_listener(conf, endpoint->name) != NULL) {
        conf_finding(conf, true, place, "listeners: the name %.*s is there twice",
                     QUOTED(endpoint->name));
        return -1;
    }
    if (check_protocol(conf, endpoint->name, place) != 0)
        return -1;
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        if (clash(&conf->listeners[i], endpoint)) {
            conf_finding(conf, true, place, "listeners: %.*s has the port of %.*s, %u",
                         QUOTED(endpoint->name), QUOTED(conf->listeners[i].name),
                         (unsigned)endpoint->port);
            return -1;
        }
    }
    if (conf->listeners_count == CONF_LISTENERS_MAX) {
        conf_finding(conf, true, place, "listeners: more than %d", CONF_LISTENERS_MAX);
        return -1;
    }
    conf->listeners[conf->listeners_count++] = (struct conf_listener){
        .name = endpoint->name, .host = endpoint->host, .port = endpoint->port};
    return 0;
}

static int read_listeners(struct conf *conf)
{
    struct span rest = conf_text(conf, CONF_LISTENERS);
    struct span item;
    conf->listeners_count = 0;
    while (conf_list_next(&rest, &item)) {
        struct endpoint endpoint;
        const char *wrong = read_endpoint(item, &endpoint);
        if (wrong != NULL) {
            conf_finding(conf, true, conf->values[CONF_LISTENERS].place, "listeners: '%.*s' %s",
                         QUOTED(item), wrong);
            return -1;
        }
        if (add_listener(conf, &endpoint) != 0)
            return -1;
    }
    if (conf->listeners_count > 0)
        return 0;
    conf_finding(
        conf, true, conf->values[CONF_LISTENERS].place,
        "listeners: there is none for clients; set PLAINTEXT://127.0.0.1:9092 or the like");
    return -1;
}

static int advertise(struct conf *conf, const struct endpoint *endpoint)
{
    const uint32_t place = conf->values[CONF_ADVERTISED_LISTENERS].place;
    if (list_has(conf_text(conf, CONF_CONTROLLER_LISTENER_NAMES), endpoint->name))
        return 0;
    struct conf_listener *listener = find_listener(conf, endpoint->name);
    if (listener == NULL) {
        conf_finding(conf, true, place, "advertised.listeners: %.*s is not in listeners",
                     QUOTED(endpoint->name));
        return -1;
    }
    if (listener->advertised_host.data != NULL) {
        conf_finding(conf, true, place, "advertised.listeners: the name %.*s is there twice",
                     QUOTED(endpoint->name));
        return -1;
    }
    if (is_every_address(endpoint->host)) {
        conf_finding(conf, true, place,
                     "advertised.listeners: no client can connect to %.*s; set %.*s://, then the "
                     "name or address that clients reach this machine by",
                     QUOTED(endpoint->host), QUOTED(endpoint->name));
        return -1;
    }
    listener->advertised_host = endpoint->host;
    listener->advertised_port = endpoint->port;
    return 0;
}

static int read_advertised(struct conf *conf)
{
    struct span rest = conf_text(conf, CONF_ADVERTISED_LISTENERS);
    struct span item;
    while (conf_list_next(&rest, &item)) {
        struct endpoint endpoint;
        const char *wrong = read_endpoint(item, &endpoint);
        if (wrong != NULL) {
            conf_finding(conf, true, conf->values[CONF_ADVERTISED_LISTENERS].place,
                         "advertised.listeners: '%.*s' %s", QUOTED(item), wrong);
            return -1;
        }
        if (advertise(conf, &endpoint) != 0)
            return -1;
    }
    return 0;
}

/* Clients are told what a listener listens on, unless advertised.listeners says otherwise. */
static int fill_advertised(struct conf *conf, struct span host_name)
{
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        struct conf_listener *listener = &conf->listeners[i];
        if (listener->advertised_host.data == NULL) {
            if (is_every_address(listener->host)) {
                conf_finding(conf, true, conf->values[CONF_LISTENERS].place,
                             "listeners: no client can connect to %.*s; set "
                             "advertised.listeners=%.*s://, then the name or address that clients "
                             "reach this machine by, then :%u",
                             QUOTED(listener->host), QUOTED(listener->name),
                             (unsigned)listener->port);
                return -1;
            }
            listener->advertised_host = listener->host;
            listener->advertised_port = listener->port;
        }
        if (listener->advertised_host.length == 0)
            listener->advertised_host = host_name.length == 0 ? SPAN("localhost") : host_name;
    }
    return 0;
}

int conf_check_listeners(struct conf *conf, struct span host_name)
{
    if (check_protocol_map(conf) != 0 || read_listeners(conf) != 0 || read_advertised(conf) != 0)
        return -1;
    return fill_advertised(conf, host_name);
}
