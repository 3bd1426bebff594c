/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop accepts connections here and hands them to libmicrohttpd, whose descriptor, and a timer
 * for connections that are silent, it looks at as well. No thread but the loop's ever looks at the
 * broker. Whoever comes when all places are taken gets that of who came first: nobody who holds
 * connections, silent or slow, keeps others from asking.
 */
#include "cli/metrics_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cli/metrics_print.h"
#include "cli/microhttpd.h"
#include "core/base/check.h"
#include "core/base/format.h"
#include "core/conf/endpoint.h"
#include "net/address.h"

/* Whoever watches is one or two. Beyond the places there are those that are being ended. */
#define PLACES               16u
#define CONNECTIONS_MAX      (2 * PLACES)
#define CONNECTION_TIMEOUT_S 10u
#define BACKLOG              16

/* One run ends connections, the next one forgets them. */
#define RUNS 2

#define HTTP_OK                 200u
#define HTTP_NOT_FOUND          404u
#define HTTP_METHOD_NOT_ALLOWED 405u

struct metrics_connection {
    int fd;          /* libmicrohttpd's; -1: none */
    uint64_t number; /* in the order in which they came; 0: it is being ended */
};

struct metrics_server {
    struct microhttpd http;
    const struct broker *broker;
    void *daemon;
    int listener;
    int spare; /* given up for a moment when there is no other descriptor left */
    int timer; /* timerfd */
    uint64_t accepted;
    struct metrics_connection connections[CONNECTIONS_MAX];
};

/* ---- Requests. ---- */

/* Answers with `text`, which is freed after that if `mode` says so. */
static int answer_text(const struct microhttpd *http, void *connection, unsigned status,
                       const char *type, char *text, size_t length, int mode)
{
    void *response = http->create_response(length, text, mode);
    if (response == NULL) {
        if (mode == MHD_RESPMEM_MUST_FREE)
            free(text);
        return MHD_NO;
    }
    http->add_header(response, "Content-Type", type);
    /* One request each: who sends many at once is not worked for all the time. */
    http->add_header(response, "Connection", "close");
    if (status == HTTP_METHOD_NOT_ALLOWED)
        http->add_header(response, "Allow", "GET, HEAD");
    const int result = http->queue_response(connection, status, response);
    http->destroy_response(response);
    return result;
}

/* First for the head of a request, again for each part of a body, then for its end, when it is
 * answered; a body is thrown away. */
static int answer(void *context, void *connection, const char *url, const char *method,
                  const char *version, const char *upload, size_t *upload_bytes, void **ret_state)
{
    static char see[] = "The metrics are at /metrics.\n";
    static char only[] = "GET and HEAD are all that there is.\n";
    const struct metrics_server *server = context;
    (void)version;
    (void)upload;
    if (*ret_state == NULL || *upload_bytes > 0) {
        *ret_state = context;
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(&server->http, connection, HTTP_METHOD_NOT_ALLOWED, "text/plain", only,
                           sizeof(only) - 1, MHD_RESPMEM_PERSISTENT);
    if (strcmp(url, "/metrics") != 0)
        return answer_text(&server->http, connection, HTTP_NOT_FOUND, "text/plain", see,
                           sizeof(see) - 1, MHD_RESPMEM_PERSISTENT);
    struct broker_metrics metrics;
    broker_metrics(server->broker, &metrics);
    size_t length;
    char *text = metrics_print(&metrics, &length);
    return text == NULL ? MHD_NO
                        : answer_text(&server->http, connection, HTTP_OK, METRICS_CONTENT_TYPE,
                                      text, length, MHD_RESPMEM_MUST_FREE);
}

/* ---- The loop. ---- */

static void timer_arm(const struct metrics_server *server, unsigned long long timeout_ms)
{
    const struct itimerspec due = {.it_value = {.tv_sec = (time_t)(timeout_ms / 1000),
                                                .tv_nsec = (long)(timeout_ms % 1000) * 1000000}};
    timerfd_settime(server->timer, 0, &due, NULL);
}

static void on_ready(void *context)
{
    const struct metrics_server *server = context;
    unsigned long long timeout_ms;
    for (int i = 0; i < RUNS; i++)
        server->http.run(server->daemon);
    if (server->http.get_timeout(server->daemon, &timeout_ms) != MHD_YES)
        timer_arm(server, 0); /* never */
    else
        timer_arm(server, timeout_ms > 0 ? timeout_ms : 1);
}

static void on_timer(void *context)
{
    const struct metrics_server *server = context;
    uint64_t times;
    if (read(server->timer, &times, sizeof(times)) == sizeof(times))
        on_ready(context);
}

/* ---- Connections. ---- */

static void notify(void *context, void *connection, void **ret_state, int what)
{
    struct metrics_server *server = context;
    if (what != MHD_CONNECTION_NOTIFY_STARTED) {
        if (*ret_state != NULL)
            *(struct metrics_connection *)*ret_state = (struct metrics_connection){.fd = -1};
        return;
    }
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->connections[i].fd >= 0)
            continue;
        server->connections[i] = (struct metrics_connection){
            *server->http.get_connection_info(connection, MHD_CONNECTION_INFO_FD),
            ++server->accepted};
        *ret_state = &server->connections[i];
        return;
    }
}

static void make_place(struct metrics_server *server)
{
    struct metrics_connection *first = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct metrics_connection *each = &server->connections[i];
        if (each->fd < 0 || each->number == 0)
            continue;
        count++;
        if (first == NULL || each->number < first->number)
            first = each;
    }
    if (count < PLACES)
        return;
    first->number = 0;
    shutdown(first->fd, SHUT_RDWR);
    on_ready(server);
}

/* Without a descriptor for it a connection would stay to be accepted, and the loop never sleep: it
 * is taken by the spare one, and closed. */
static void turn_away(struct metrics_server *server)
{
    close(server->spare);
    const int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    server->spare = dup(server->listener);
}

static void on_connection(void *context)
{
    struct metrics_server *server = context;
    struct address peer = {.length = sizeof(peer.storage)};
    struct sockaddr *name = (struct sockaddr *)&peer.storage;
    const int fd = accept4(server->listener, name, &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            turn_away(server);
        return;
    }
    make_place(server);
    /* Where that fails it has closed the connection. */
    server->http.add_connection(server->daemon, fd, name, peer.length);
    on_ready(server);
}

/* ---- Beginning and end. ---- */

/* A socket that listens there, and what its address is by now; -1 with errno. */
static int socket_listen(struct address *address)
{
    static const int on = 1;
    static const int off = 0;
    const int family = address->storage.ss_family;
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct sockaddr *name = (struct sockaddr *)&address->storage;
    /* Every address means IPv4 too, however the system is set up. */
    if ((family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, name, address->length) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, name, &address->length) == 0)
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Likewise for host:port; -1 with the reason. */
static int listen_at(struct span listener, struct address *ret_address, const char **ret_reason)
{
    struct endpoint endpoint;
    *ret_reason = endpoint_read_address(listener, "is not of the form host:port", &endpoint);
    if (*ret_reason == NULL)
        *ret_reason = address_resolve(endpoint.host, endpoint.port, ret_address);
    if (*ret_reason != NULL)
        return -1;
    int fd = socket_listen(ret_address);
    /* A system without IPv6 has only one every-address. */
    if (fd < 0 && errno == EAFNOSUPPORT && endpoint.host.length == 0 &&
        address_resolve(SPAN("0.0.0.0"), endpoint.port, ret_address) == NULL)
        fd = socket_listen(ret_address);
    *ret_reason = fd < 0 ? strerror(errno) : NULL;
    return fd;
}

/* Brings it to life, and into the loop. */
static bool start(struct metrics_server *server, struct loop *loop)
{
    const struct microhttpd *http = &server->http;
    server->daemon = http->start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, answer, server,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        CONNECTION_TIMEOUT_S, MHD_OPTION_NOTIFY_CONNECTION, notify, server, MHD_OPTION_END);
    if (server->daemon == NULL)
        return false;
    const int *epoll = http->get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    server->spare = dup(server->listener);
    return epoll != NULL && server->timer >= 0 && server->spare >= 0 &&
           loop_add_source(loop, server->listener, on_connection, server) == 0 &&
           loop_add_source(loop, *epoll, on_ready, server) == 0 &&
           loop_add_source(loop, server->timer, on_timer, server) == 0;
}

static void tell_address(const struct logger *logger, const struct address *address)
{
    char host[ADDRESS_TEXT_BYTES_MAX];
    char line[ADDRESS_TEXT_BYTES_MAX + 64];
    address_print(address, host);
    const size_t length =
        format_text(line, sizeof(line), "metrics are served: url=http://%s/metrics", host);
    logger_write(logger, LOG_INFO, span_of(line, length));
}

struct metrics_server *metrics_server_new(const struct metrics_server_options *options,
                                          const char **ret_reason)
{
    struct address address;
    struct metrics_server *server = calloc(1, sizeof(*server));
    CHECK(server != NULL);
    server->broker = options->broker;
    server->spare = server->timer = -1;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        server->connections[i].fd = -1;
    server->listener = listen_at(options->listener, &address, ret_reason);
    if (server->listener >= 0 && !microhttpd_load(&server->http)) {
        *ret_reason =
            "there is no " MICROHTTPD_LIBRARY " here; install libmicrohttpd 0.9.75 or a later one";
    } else if (server->listener >= 0) {
        if (start(server, options->loop)) {
            tell_address(options->logger, &address);
            return server;
        }
        *ret_reason = strerror(errno);
    }
    metrics_server_free(server);
    return NULL;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void metrics_server_free(struct metrics_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL)
        server->http.stop_daemon(server->daemon);
    close_if_open(server->listener);
    close_if_open(server->spare);
    close_if_open(server->timer);
    microhttpd_unload(&server->http);
    free(server);
}
