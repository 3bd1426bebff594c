/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/base/format.h"
#include "core/conf/conf.h"
#include "tests/core/conf/settings.h"
#include "tests/support/runner.h"

/* Lines, then what they give: "NAME host:port host:port" as it is listened on and advertised, or
 * what is said. */
static const struct {
    const char *lines;
    const char *listeners;
    const char *findings;
} table[] = {
    {"listeners=PLAINTEXT://localhost:0", "PLAINTEXT localhost:0 localhost:0\n", ""},
    {"listeners=PLAINTEXT://:9092", "PLAINTEXT :9092 broker.example:9092\n", ""},
    {"listeners=PLAINTEXT://[::1]:9092", "PLAINTEXT ::1:9092 ::1:9092\n", ""},
    {"listeners=PLAINTEXT://[fe80::1%eth0]:1", "PLAINTEXT fe80::1%eth0:1 fe80::1%eth0:1\n", ""},
    {"listeners=PLAINTEXT://0.0.0.0:9092\nadvertised.listeners=PLAINTEXT://kafka.example:19092",
     "PLAINTEXT 0.0.0.0:9092 kafka.example:19092\n", ""},
    {"listeners=PLAINTEXT://0.0.0.0:9092\nadvertised.listeners=PLAINTEXT://:0",
     "PLAINTEXT 0.0.0.0:9092 broker.example:0\n", ""},
    {"listeners=plaintext://a:1\nadvertised.listeners=PLAINTEXT://b:2", "plaintext a:1 b:2\n", ""},
    {"listeners=IN://a:1,OUT://a:2\nadvertised.listeners=OUT://o:3\n"
     "listener.security.protocol.map=IN:PLAINTEXT, OUT:plaintext",
     "IN a:1 a:1\nOUT a:2 o:3\n", ""},
    {"listeners=IN://127.0.0.1:1,OUT://127.0.0.2:1,V6://[::1]:1\n"
     "listener.security.protocol.map=IN:PLAINTEXT,OUT:PLAINTEXT,V6:PLAINTEXT",
     "IN 127.0.0.1:1 127.0.0.1:1\nOUT 127.0.0.2:1 127.0.0.2:1\nV6 ::1:1 ::1:1\n", ""},
    /* The sample file of Kafka 4. */
    {"listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n"
     "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
     "PLAINTEXT :9092 localhost:9092\n",
     "warned 1: listeners: CONTROLLER is for controllers and is not opened: a single node is its "
     "own controller\n"},

    {"listeners=", "",
     "refused 1: listeners: there is none for clients; set PLAINTEXT://127.0.0.1:9092 or the "
     "like\n"},
    {"listeners=localhost:9092", "",
     "refused 1: listeners: 'localhost:9092' is not of the form NAME://host:port\n"},
    {"listeners=PLAINTEXT://localhost", "",
     "refused 1: listeners: 'PLAINTEXT://localhost' is not of the form NAME://host:port\n"},
    {"listeners=PLAINTEXT://a:1,", "PLAINTEXT a:1 a:1\n", ""},
    {"listeners=PLAINTEXT://a:1,,PLAINTEXT://b:2", "",
     "refused 1: listeners: '' is not of the form NAME://host:port\n"},
    {"listeners=A B://a:1", "",
     "refused 1: listeners: 'A B://a:1' has a name that is not made of letters, digits, '_', '-' "
     "and '.'\n"},
    {"listeners=://a:1", "",
     "refused 1: listeners: '://a:1' has a name that is not made of letters, digits, '_', '-' and "
     "'.'\n"},
    {"listeners=PLAINTEXT://::1:9092", "",
     "refused 1: listeners: 'PLAINTEXT://::1:9092' has a host that is neither a name nor an "
     "address "
     "(IPv6 goes in brackets: [::1])\n"},
    {"listeners=PLAINTEXT://[]:9092", "",
     "refused 1: listeners: 'PLAINTEXT://[]:9092' has a host that is neither a name nor an address "
     "(IPv6 goes in brackets: [::1])\n"},
    {"listeners=PLAINTEXT://a:65536", "",
     "refused 1: listeners: 'PLAINTEXT://a:65536' has a port that is not a number from 0 to "
     "65535\n"},
    {"listeners=PLAINTEXT://a:-1", "",
     "refused 1: listeners: 'PLAINTEXT://a:-1' has a port that is not a number from 0 to 65535\n"},
    {"listeners=PLAINTEXT://a:", "",
     "refused 1: listeners: 'PLAINTEXT://a:' has a port that is not a number from 0 to 65535\n"},
    {"listeners=PLAINTEXT://a:1,plaintext://b:2", "",
     "refused 1: listeners: the name plaintext is there twice\n"},
    {"listeners=IN://a:1,OUT://:1\nlistener.security.protocol.map=IN:PLAINTEXT,OUT:PLAINTEXT", "",
     "refused 1: listeners: OUT has the port of IN, 1\n"},
    {"listeners=EXTERNAL://a:1", "",
     "refused 1: listeners: EXTERNAL has no security protocol; add EXTERNAL:PLAINTEXT to "
     "listener.security.protocol.map\n"},
    {"listeners=SASL_SSL://a:1", "",
     "refused 1: listeners: SASL_SSL needs SASL_SSL, which is not served yet; use PLAINTEXT, on a "
     "network that you trust\n"},
    {"listener.security.protocol.map=PLAINTEXT:PLAIN", "",
     "refused 1: listener.security.protocol.map: 'PLAINTEXT:PLAIN' is not of the form "
     "NAME:PROTOCOL with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL\n"},
    {"listeners=PLAINTEXT://0.0.0.0:9092", "",
     "refused 1: listeners: no client can connect to 0.0.0.0; set "
     "advertised.listeners=PLAINTEXT://, then the name or address that clients reach this machine "
     "by, then :9092\n"},
    {"listeners=PLAINTEXT://[::]:9092", "",
     "refused 1: listeners: no client can connect to ::; set advertised.listeners=PLAINTEXT://, "
     "then the name or address that clients reach this machine by, then :9092\n"},
    {"advertised.listeners=PLAINTEXT://0.0.0.0:9092", "",
     "refused 1: advertised.listeners: no client can connect to 0.0.0.0; set PLAINTEXT://, then "
     "the name or address that clients reach this machine by\n"},
    {"advertised.listeners=OTHER://a:1", "",
     "refused 1: advertised.listeners: OTHER is not in listeners\n"},
    {"advertised.listeners=PLAINTEXT://a:1,PLAINTEXT://b:1", "",
     "refused 1: advertised.listeners: the name PLAINTEXT is there twice\n"},
    {"advertised.listeners=a", "",
     "refused 1: advertised.listeners: 'a' is not of the form NAME://host:port\n"},
};

static void print_listeners(const struct conf *conf, char *out, size_t capacity)
{
    size_t length = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        length +=
            (size_t)snprintf(out + length, capacity - length, "%.*s %.*s:%u %.*s:%u\n",
                             SPAN_ARGS(listener->name), SPAN_ARGS(listener->host), listener->port,
                             SPAN_ARGS(listener->advertised_host), listener->advertised_port);
    }
}

START_TEST(listeners_are_read_or_refused_with_the_mend)
{
    struct settings settings;
    char listeners[512];
    settings_read(&settings, table[_i].lines);
    ck_assert_str_eq(settings.findings, table[_i].findings);
    if (table[_i].listeners[0] != '\0') {
        print_listeners(&settings.conf, listeners, sizeof(listeners));
        ck_assert_str_eq(listeners, table[_i].listeners);
    }
    ck_assert_int_eq(settings.result, table[_i].listeners[0] == '\0' ? -1 : 0);
    settings_free(&settings);
}
END_TEST

START_TEST(listeners_have_a_limit)
{
    struct settings settings;
    char lines[2048];
    size_t length = (size_t)snprintf(lines, sizeof(lines), "listener.security.protocol.map=");
    for (int i = 0; i <= CONF_LISTENERS_MAX; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "L%d:PLAINTEXT,", i);
    length += (size_t)snprintf(lines + length, sizeof(lines) - length, "\nlisteners=");
    for (int i = 0; i <= CONF_LISTENERS_MAX; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "L%d://a:0,", i);
    settings_read(&settings, lines);
    ck_assert_str_eq(settings.findings, "refused 2: listeners: more than 16\n");
    settings_free(&settings);
}
END_TEST

SUITE(listeners)
{
    TCase *tcase = tcase_create("listeners");
    tcase_add_loop_test(tcase, listeners_are_read_or_refused_with_the_mend, 0,
                        sizeof(table) / sizeof(table[0]));
    tcase_add_test(tcase, listeners_have_a_limit);
    suite_add_tcase(suite, tcase);
}
