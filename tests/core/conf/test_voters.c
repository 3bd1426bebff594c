/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/base/format.h"
#include "core/conf/conf.h"
#include "tests/core/conf/settings.h"
#include "tests/support/runner.h"

/* What a node of a cluster sets beside its voters. */
#define CLUSTER                                          \
    "listeners=PLAINTEXT://a:9092,CONTROLLER://a:9093\n" \
    "controller.listener.names=CONTROLLER\n"

/* Lines, then what they give: "id@host:port" of each voter, then the listeners for peers; or what
 * is said. */
static const struct {
    const char *lines;
    const char *voters;
    const char *findings;
} table[] = {
    {"", "alone\n", ""},
    {"controller.quorum.voters=", "alone\n", ""},
    {"node.id=2\ncontroller.quorum.voters=2@localhost:9093", "alone\n2@localhost:9093\n", ""},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093, 3@[::1]:9094",
     "1@a:9093\n2@b:9093\n3@::1:9094\nCONTROLLER a:9093, told a:9093\n", ""},
    {CLUSTER "controller.quorum.voters=2@b:9093\nprocess.roles=broker",
     "2@b:9093\nCONTROLLER a:9093, told a:9093\n", ""},
    /* Where a voter is reached is said there; another node has to say it itself. */
    {"listeners=PLAINTEXT://a:9092,CONTROLLER://"
     "0.0.0.0:9093\ncontroller.listener.names=CONTROLLER\n"
     "controller.quorum.voters=1@a:9093,2@b:9093",
     "1@a:9093\n2@b:9093\nCONTROLLER 0.0.0.0:9093, told a:9093\n", ""},
    {"listeners=PLAINTEXT://a:9092,CONTROLLER://"
     "0.0.0.0:9093\ncontroller.listener.names=CONTROLLER\n"
     "controller.quorum.voters=2@b:9093\nprocess.roles=broker\n"
     "advertised.listeners=CONTROLLER://c:9094",
     "2@b:9093\nCONTROLLER 0.0.0.0:9093, told c:9094\n", ""},
    {"listeners=PLAINTEXT://a:9092,CONTROLLER://"
     "0.0.0.0:9093\ncontroller.listener.names=CONTROLLER\n"
     "controller.quorum.voters=2@b:9093\nprocess.roles=broker",
     NULL,
     "refused 1: listeners: no node can connect to 0.0.0.0; set "
     "advertised.listeners=CONTROLLER://, "
     "then the name or address that nodes reach this machine by, then :9093\n"},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093\n"
             "controller.quorum.bootstrap.servers=a:9093,b:9093",
     "1@a:9093\n2@b:9093\nCONTROLLER a:9093, told a:9093\n", ""},
    /* What a single node cannot give, a cluster can. */
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093\ndefault.replication.factor=3",
     "1@a:9093\n2@b:9093\nCONTROLLER a:9093, told a:9093\n", ""},
    {"listeners=A://a:1,B://a:2,C://a:3\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT,"
     "C:PLAINTEXT\ncontroller.listener.names=c,B\ncontroller.quorum.voters=1@a:3,2@b:3",
     "1@a:3\n2@b:3\nB a:2, told a:3\nC a:3, told a:3\n", ""},

    {"controller.quorum.voters=localhost:9093", NULL,
     "refused 1: controller.quorum.voters: 'localhost:9093' is not of the form id@host:port\n"},
    {"controller.quorum.voters=1@a:9093,", "alone\n1@a:9093\n", ""},
    {"controller.quorum.voters=1@a:9093,,2@b:9093", NULL,
     "refused 1: controller.quorum.voters: '' is not of the form id@host:port\n"},
    {"controller.quorum.voters=1@a", NULL,
     "refused 1: controller.quorum.voters: '1@a' is not of the form id@host:port\n"},
    {"controller.quorum.voters=-1@a:1", NULL,
     "refused 1: controller.quorum.voters: '-1@a:1' is not of the form id@host:port\n"},
    {"controller.quorum.voters=2147483648@a:1", NULL,
     "refused 1: controller.quorum.voters: '2147483648@a:1' is not of the form id@host:port\n"},
    {"controller.quorum.voters=1@::1:9093", NULL,
     "refused 1: controller.quorum.voters: '1@::1:9093' has a host that is neither a name nor an "
     "address (IPv6 goes in brackets: [::1])\n"},
    {"controller.quorum.voters=1@:9093", NULL,
     "refused 1: controller.quorum.voters: '1@:9093' names no host\n"},
    {"controller.quorum.voters=1@0.0.0.0:9093", NULL,
     "refused 1: controller.quorum.voters: '1@0.0.0.0:9093' has an address that no node can "
     "connect to\n"},
    {"controller.quorum.voters=1@a:0", NULL,
     "refused 1: controller.quorum.voters: '1@a:0' has a port that no node can connect to\n"},
    {"controller.quorum.voters=1@a:65536", NULL,
     "refused 1: controller.quorum.voters: '1@a:65536' has a port that is not a number from 0 to "
     "65535\n"},
    {"controller.quorum.voters=1@a:1,2@b:1,1@c:1", NULL,
     "refused 1: controller.quorum.voters: '1@c:1' has the id of another one\n"},
    {"controller.quorum.voters=1@a:1,2@A:1", NULL,
     "refused 1: controller.quorum.voters: '2@A:1' has the address of another one\n"},
    {CLUSTER "controller.quorum.voters=2@a:9093,3@b:9093", NULL,
     "refused 3: controller.quorum.voters: node.id=1 is not among them; add this node, or take "
     "controller out of process.roles\n"},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093\nprocess.roles=broker", NULL,
     "refused 3: controller.quorum.voters: node.id=1 is among them; take it out, or add controller "
     "to process.roles\n"},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093\nprocess.roles=controller", NULL,
     "refused 4: process.roles: a controller that is no broker is not served yet; set "
     "broker,controller or leave it out\n"},

    {"controller.quorum.voters=1@a:9093,2@b:9093", NULL,
     "refused 0: controller.listener.names: the nodes of a cluster need a listener of their own; "
     "add CONTROLLER://:9093 or the like to listeners, and set CONTROLLER here\n"},
    {"controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@a:9093,2@b:9093", NULL,
     "refused 1: controller.listener.names: CONTROLLER is not in listeners\n"},
    {"listeners=PLAINTEXT://:9092,CONTROLLER://:9092\ncontroller.listener.names=CONTROLLER\n"
     "controller.quorum.voters=1@a:9093,2@b:9093",
     NULL, "refused 1: listeners: CONTROLLER has the port of PLAINTEXT, 9092\n"},
    {"listeners=PLAINTEXT://:9092,CONTROLLER://:9093,controller://:9094\n"
     "controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@a:9093,2@b:9093",
     NULL, "refused 1: listeners: the name controller is there twice\n"},
    {"listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "listener.security.protocol.map=PLAINTEXT:PLAINTEXT\n"
     "controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@a:9093,2@b:9093",
     NULL,
     "refused 1: listeners: CONTROLLER has no security protocol; add CONTROLLER:PLAINTEXT to "
     "listener.security.protocol.map\n"},
    {"listeners=PLAINTEXT://:9092,SSL://:9093\n"
     "controller.listener.names=SSL\ncontroller.quorum.voters=1@a:9093,2@b:9093",
     NULL,
     "refused 1: listeners: SSL needs SSL, which is not served yet; use PLAINTEXT, on a network "
     "that you trust\n"},
};

static void print_voters(const struct conf *conf, char *out, size_t capacity)
{
    size_t length = (size_t)snprintf(out, capacity, "%s", conf->is_cluster ? "" : "alone\n");
    for (uint32_t i = 0; i < conf->voters_count; i++) {
        const struct conf_voter *voter = &conf->voters[i];
        length += (size_t)snprintf(out + length, capacity - length, "%d@%.*s:%u\n", voter->node_id,
                                   SPAN_ARGS(voter->host), voter->port);
    }
    for (uint32_t i = 0; i < conf->peer_listeners_count; i++) {
        const struct conf_listener *listener = &conf->peer_listeners[i];
        length +=
            (size_t)snprintf(out + length, capacity - length, "%.*s %.*s:%u, told %.*s:%u\n",
                             SPAN_ARGS(listener->name), SPAN_ARGS(listener->host), listener->port,
                             SPAN_ARGS(listener->advertised_host), listener->advertised_port);
    }
}

START_TEST(voters_are_read_or_refused_with_the_mend)
{
    struct settings settings;
    char voters[512];
    settings_read(&settings, table[_i].lines);
    ck_assert_str_eq(settings.findings, table[_i].findings);
    if (table[_i].voters != NULL) {
        print_voters(&settings.conf, voters, sizeof(voters));
        ck_assert_str_eq(voters, table[_i].voters);
    }
    ck_assert_int_eq(settings.result, table[_i].voters == NULL ? -1 : 0);
    settings_free(&settings);
}
END_TEST

START_TEST(voters_have_a_limit)
{
    struct settings settings;
    char lines[1024];
    size_t length = (size_t)snprintf(lines, sizeof(lines), "controller.quorum.voters=");
    for (int i = 1; i <= CONF_VOTERS_MAX + 1; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "%d@a:%d,", i, i);
    settings_read(&settings, lines);
    ck_assert_str_eq(settings.findings,
                     "refused 1: controller.quorum.voters: '17@a:17' is more than there may be\n");
    settings_free(&settings);
}
END_TEST

/* Voters, what is set, and how many replicas the offsets have then. */
static const struct {
    const char *lines;
    int64_t replicas;
} offsets[] = {
    {"", 1},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093", 2},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093", 3},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093,4@d:9093", 3},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093\n"
             "offsets.topic.replication.factor=1",
     1},
    {CLUSTER "controller.quorum.voters=1@a:9093,2@b:9093\noffsets.topic.replication.factor=3", 3},
};

START_TEST(offsets_are_on_as_many_nodes_as_a_cluster_begins_with)
{
    struct settings settings;
    settings_read(&settings, offsets[_i].lines);
    ck_assert_int_eq(settings.result, 0);
    ck_assert_int_eq(conf_int(&settings.conf, CONF_OFFSETS_TOPIC_REPLICATION_FACTOR),
                     offsets[_i].replicas);
    settings_free(&settings);
}
END_TEST

SUITE(voters)
{
    TCase *tcase = tcase_create("voters");
    tcase_add_loop_test(tcase, voters_are_read_or_refused_with_the_mend, 0,
                        sizeof(table) / sizeof(table[0]));
    tcase_add_test(tcase, voters_have_a_limit);
    tcase_add_loop_test(tcase, offsets_are_on_as_many_nodes_as_a_cluster_begins_with, 0,
                        sizeof(offsets) / sizeof(offsets[0]));
    suite_add_tcase(suite, tcase);
}
