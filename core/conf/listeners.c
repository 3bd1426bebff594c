/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/listeners.h"

#include "core/conf/endpoint.h"
#include "core/conf/value.h"

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
    for (uint32_t i = 0; i < conf->peer_listeners_count; i++) {
        if (conf_same(conf->peer_listeners[i].name, name))
            return &conf->peer_listeners[i];
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

/* As in Kafka, names for controllers need no entry as long as the map is at its default. */
static int check_protocol(const struct conf *conf, struct span name, bool for_peers, uint32_t place)
{
    struct span protocol = protocol_of(conf, name);
    if (for_peers && span_is_null(protocol) &&
        conf->values[CONF_LISTENER_SECURITY_PROTOCOL_MAP].source == CONF_SOURCE_DEFAULT)
        protocol = SPAN("PLAINTEXT");
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
    return a->host.length == 0 || b->host.length == 0 || endpoint_is_every_address(a->host) ||
           endpoint_is_every_address(b->host) || conf_same(a->host, b->host);
}

/* Whether the listener may be opened beside the `count` ones of `others`. */
static int check_apart(const struct conf *conf, const struct conf_listener *others, uint32_t count,
                       const struct endpoint *endpoint)
{
    const uint32_t place = conf->values[CONF_LISTENERS].place;
    for (uint32_t i = 0; i < count; i++) {
        if (conf_same(others[i].name, endpoint->name)) {
            conf_finding(conf, true, place, "listeners: the name %.*s is there twice",
                         QUOTED(endpoint->name));
            return -1;
        }
        if (clash(&others[i], endpoint)) {
            conf_finding(conf, true, place, "listeners: %.*s has the port of %.*s, %u",
                         QUOTED(endpoint->name), QUOTED(others[i].name), (unsigned)endpoint->port);
            return -1;
        }
    }
    return 0;
}

static int add_listener(struct conf *conf, const struct endpoint *endpoint)
{
    const uint32_t place = conf->values[CONF_LISTENERS].place;
    const bool for_peers =
        list_has(conf_text(conf, CONF_CONTROLLER_LISTENER_NAMES), endpoint->name);
    if (for_peers && !conf->is_cluster) {
        conf_finding(conf, false, place,
                     "listeners: %.*s is for controllers and is not opened: a single node is its "
                     "own controller",
                     QUOTED(endpoint->name));
        return 0;
    }
    if (check_apart(conf, conf->listeners, conf->listeners_count, endpoint) != 0 ||
        check_apart(conf, conf->peer_listeners, conf->peer_listeners_count, endpoint) != 0 ||
        check_protocol(conf, endpoint->name, for_peers, place) != 0)
        return -1;
    struct conf_listener *listeners = for_peers ? conf->peer_listeners : conf->listeners;
    uint32_t *count = for_peers ? &conf->peer_listeners_count : &conf->listeners_count;
    if (*count == CONF_LISTENERS_MAX) {
        conf_finding(conf, true, place, "listeners: more than %d", CONF_LISTENERS_MAX);
        return -1;
    }
    listeners[(*count)++] = (struct conf_listener){
        .name = endpoint->name, .host = endpoint->host, .port = endpoint->port};
    return 0;
}

/* What controller.listener.names names has to be there, and in a cluster it names something. */
static int check_peer_listeners(const struct conf *conf)
{
    const uint32_t place = conf->values[CONF_CONTROLLER_LISTENER_NAMES].place;
    struct span rest = conf_text(conf, CONF_CONTROLLER_LISTENER_NAMES);
    struct span name;
    if (!conf->is_cluster)
        return 0;
    while (conf_list_next(&rest, &name)) {
        bool found = false;
        for (uint32_t i = 0; i < conf->peer_listeners_count; i++)
            found = found || conf_same(conf->peer_listeners[i].name, name);
        if (!found) {
            conf_finding(conf, true, place, "controller.listener.names: %.*s is not in listeners",
                         QUOTED(name));
            return -1;
        }
    }
    if (conf->peer_listeners_count > 0)
        return 0;
    conf_finding(conf, true, place,
                 "controller.listener.names: the nodes of a cluster need a listener of their own; "
                 "add CONTROLLER://:9093 or the like to listeners, and set CONTROLLER here");
    return -1;
}

static int read_listeners(struct conf *conf)
{
    struct span rest = conf_text(conf, CONF_LISTENERS);
    struct span item;
    conf->listeners_count = 0;
    conf->peer_listeners_count = 0;
    while (conf_list_next(&rest, &item)) {
        struct endpoint endpoint;
        const char *wrong = endpoint_read(item, &endpoint);
        if (wrong != NULL) {
            conf_finding(conf, true, conf->values[CONF_LISTENERS].place, "listeners: '%.*s' %s",
                         QUOTED(item), wrong);
            return -1;
        }
        if (add_listener(conf, &endpoint) != 0)
            return -1;
    }
    if (conf->listeners_count > 0)
        return check_peer_listeners(conf);
    conf_finding(
        conf, true, conf->values[CONF_LISTENERS].place,
        "listeners: there is none for clients; set PLAINTEXT://127.0.0.1:9092 or the like");
    return -1;
}

static int advertise(struct conf *conf, const struct endpoint *endpoint)
{
    const uint32_t place = conf->values[CONF_ADVERTISED_LISTENERS].place;
    /* A single node does not open its controller's. */
    if (!conf->is_cluster &&
        list_has(conf_text(conf, CONF_CONTROLLER_LISTENER_NAMES), endpoint->name))
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
    if (endpoint_is_every_address(endpoint->host)) {
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
        const char *wrong = endpoint_read(item, &endpoint);
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

/* What a listener listens on is told, unless advertised.listeners says otherwise. `who` cannot
 * connect to every address. */
static int fill_one(struct conf *conf, struct conf_listener *listener, const char *who)
{
    if (listener->advertised_host.data == NULL && endpoint_is_every_address(listener->host)) {
        conf_finding(conf, true, conf->values[CONF_LISTENERS].place,
                     "listeners: no %s can connect to %.*s; set "
                     "advertised.listeners=%.*s://, then the name or address that %ss "
                     "reach this machine by, then :%u",
                     who, QUOTED(listener->host), QUOTED(listener->name), who,
                     (unsigned)listener->port);
        return -1;
    }
    if (listener->advertised_host.data == NULL) {
        listener->advertised_host = listener->host;
        listener->advertised_port = listener->port;
    }
    if (listener->advertised_host.length == 0)
        listener->advertised_host =
            conf->host_name.length == 0 ? SPAN("localhost") : conf->host_name;
    return 0;
}

/* Where the others of the cluster reach a voter is in controller.quorum.voters. */
static void advertise_voter(struct conf *conf)
{
    for (uint32_t i = 0; i < conf->voters_count; i++) {
        if (conf->voters[i].node_id != conf->node_id)
            continue;
        conf->peer_listeners[0].advertised_host = conf->voters[i].host;
        conf->peer_listeners[0].advertised_port = conf->voters[i].port;
    }
}

static int fill_advertised(struct conf *conf)
{
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        if (fill_one(conf, &conf->listeners[i], "client") != 0)
            return -1;
    }
    if (conf->peer_listeners_count > 0)
        advertise_voter(conf);
    for (uint32_t i = 0; i < conf->peer_listeners_count; i++) {
        if (fill_one(conf, &conf->peer_listeners[i], "node") != 0)
            return -1;
    }
    return 0;
}

int conf_check_listeners(struct conf *conf)
{
    if (check_protocol_map(conf) != 0 || read_listeners(conf) != 0 || read_advertised(conf) != 0)
        return -1;
    return fill_advertised(conf);
}
