/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/voters.h"

#include "core/base/format.h"
#include "core/conf/endpoint.h"
#include "core/conf/value.h"

/* Reads id@host:port. Returns NULL, or what is wrong with it. */
static const char *read_voter(struct span text, struct conf_voter *ret_voter)
{
    static const char form[] = "is not of the form id@host:port";
    const uint8_t *at = text.length == 0 ? NULL : memchr(text.data, '@', text.length);
    if (at == NULL)
        return form;
    const size_t length = (size_t)(at - text.data);
    int64_t id;
    if (parse_int64(span_of(text.data, length), &id) != 0 || id < 0 || id > INT32_MAX)
        return form;
    struct endpoint endpoint;
    const char *wrong =
        endpoint_read_address(span_of(at + 1, text.length - length - 1), form, &endpoint);
    if (wrong != NULL)
        return wrong;
    if (endpoint.host.length == 0)
        return "names no host";
    if (endpoint_is_every_address(endpoint.host))
        return "has an address that no node can connect to";
    if (endpoint.port == 0)
        return "has a port that no node can connect to";
    *ret_voter = (struct conf_voter){(int32_t)id, endpoint.host, endpoint.port};
    return NULL;
}

/* What is wrong with the voter beside those before it; NULL when nothing is. */
static const char *check_apart(const struct conf *conf, const struct conf_voter *voter)
{
    for (uint32_t i = 0; i < conf->voters_count; i++) {
        if (conf->voters[i].node_id == voter->node_id)
            return "has the id of another one";
        if (conf->voters[i].port == voter->port && conf_same(conf->voters[i].host, voter->host))
            return "has the address of another one";
    }
    return conf->voters_count == CONF_VOTERS_MAX ? "is more than there may be" : NULL;
}

static int read_voters(struct conf *conf)
{
    struct span rest = conf_text(conf, CONF_CONTROLLER_QUORUM_VOTERS);
    struct span item;
    bool is_cluster = false;
    conf->voters_count = 0;
    conf->is_cluster = false;
    while (conf_list_next(&rest, &item)) {
        struct conf_voter voter;
        const char *wrong = read_voter(item, &voter);
        if (wrong == NULL)
            wrong = check_apart(conf, &voter);
        if (wrong != NULL) {
            conf_finding(conf, true, conf->values[CONF_CONTROLLER_QUORUM_VOTERS].place,
                         "controller.quorum.voters: '%.*s' %s", QUOTED(item), wrong);
            return -1;
        }
        is_cluster = is_cluster || voter.node_id != conf->node_id;
        conf->voters[conf->voters_count++] = voter;
    }
    conf->is_cluster = is_cluster;
    return 0;
}

static bool has_role(const struct conf *conf, struct span role)
{
    struct span rest = conf_text(conf, CONF_PROCESS_ROLES);
    struct span item;
    while (conf_list_next(&rest, &item)) {
        if (span_equal(item, role))
            return true;
    }
    return false;
}

/* Controllers vote, and nobody else does. */
static int check_roles(const struct conf *conf)
{
    const bool is_controller = has_role(conf, SPAN("controller"));
    if (!has_role(conf, SPAN("broker")) || (!conf->is_cluster && !is_controller)) {
        conf_finding(conf, true, conf->values[CONF_PROCESS_ROLES].place,
                     "process.roles: %s; set broker,controller or leave it out",
                     is_controller ? "a controller that is no broker is not served yet"
                                   : "a node of its own has both roles");
        return -1;
    }
    bool is_voter = !conf->is_cluster;
    for (uint32_t i = 0; i < conf->voters_count; i++)
        is_voter = is_voter || conf->voters[i].node_id == conf->node_id;
    if (is_voter == is_controller)
        return 0;
    conf_finding(conf, true, conf->values[CONF_CONTROLLER_QUORUM_VOTERS].place,
                 is_controller ? "controller.quorum.voters: node.id=%d is not among them; add this "
                                 "node, or take controller out of process.roles"
                               : "controller.quorum.voters: node.id=%d is among them; take it out, "
                                 "or add controller to process.roles",
                 conf->node_id);
    return -1;
}

/* Controllers that are not all named are a cluster's, which we must not tear. */
static int check_bootstrap(const struct conf *conf)
{
    struct span rest = conf_text(conf, CONF_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS);
    struct span item;
    if (conf->is_cluster || !conf_list_next(&rest, &item) || !conf_list_next(&rest, &item))
        return 0;
    conf_finding(conf, true, conf->values[CONF_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS].place,
                 "controller.quorum.bootstrap.servers: more than one node; name the controllers "
                 "in controller.quorum.voters, id@host:port");
    return -1;
}

int conf_check_voters(struct conf *conf)
{
    if (read_voters(conf) != 0 || check_bootstrap(conf) != 0)
        return -1;
    return check_roles(conf);
}
