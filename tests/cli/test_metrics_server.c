/* SPDX-License-Identifier: Apache-2.0 */
/* Where metrics are served, on a system without IPv6: this program's socket() plays it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/metrics_server.h"
#include "cli/microhttpd.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define URL "metrics are served: url=http://"

static bool lacks_ipv6;

int socket(int family, int type, int protocol)
{
    if (lacks_ipv6 && family == AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, family, type, protocol);
}

static struct heap heap;
static struct memory memory;
static struct loop *loop;
static int said[2]; /* the log, as a pipe */

static void start(void)
{
    heap_memory(&heap, &memory);
    const struct loop_options options = {.memory = &memory};
    loop = loop_new(&options);
    ck_assert_ptr_nonnull(loop);
    ck_assert_int_eq(pipe(said), 0);
    lacks_ipv6 = true;
}

static void end(void)
{
    lacks_ipv6 = false;
    loop_free(loop);
    close(said[0]);
    close(said[1]);
}

/* Where the log says that metrics are served; or why they are not. */
static const char *serve(const char *listener)
{
    static char line[LOGGER_LINE_BYTES_MAX + 1];
    const char *reason = NULL;
    struct logger logger;
    logger_init(&logger, said[1], SPAN("info"));
    const struct metrics_server_options options = {
        .listener = span_text(listener), .logger = &logger, .loop = loop};
    struct metrics_server *server = metrics_server_new(&options, &reason);
    if (server == NULL)
        return reason;
    const ssize_t length = read(said[0], line, sizeof(line) - 1);
    ck_assert_int_gt(length, 0);
    line[length] = '\0';
    metrics_server_free(server);
    const char *url = strstr(line, URL);
    ck_assert_ptr_nonnull(url);
    return url + strlen(URL);
}

static bool has_library(void)
{
    struct microhttpd http;
    const bool has = microhttpd_load(&http);
    microhttpd_unload(&http);
    return has;
}

START_TEST(every_address_is_every_one_that_there_is)
{
    if (has_library())
        ck_assert_int_eq(strncmp(serve(":0"), "0.0.0.0:", 8), 0);
}
END_TEST

START_TEST(an_address_of_ipv6_is_refused)
{
    ck_assert_str_eq(serve("[::1]:0"), strerror(EAFNOSUPPORT));
}
END_TEST

SUITE(metrics_server)
{
    TCase *tcase = tcase_create("without IPv6");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, every_address_is_every_one_that_there_is);
    tcase_add_test(tcase, an_address_of_ipv6_is_refused);
    suite_add_tcase(suite, tcase);
}
