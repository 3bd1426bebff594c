/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd is loaded when the setting asks for it: what it brings along, TLS above all, would
 * double the time to start and the memory of a broker that nobody asks. Its descriptor, and a timer
 * for connections that are silent, are looked at by the broker's loop; no thread but the loop's
 * ever looks at the broker.
 */
#include "cli/metrics_server.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cli/library.h"
#include "cli/metrics_print.h"
#include "core/base/check.h"
#include "core/base/format.h"
#include "core/conf/endpoint.h"
#include "net/address.h"

#define LIBRARY "libmicrohttpd.so.12"

/* Whoever watches is one or two; others wait in the kernel's queue. */
#define CONNECTIONS_MAX      16u
#define CONNECTION_TIMEOUT_S 10u
#define BACKLOG              16

/* One run ends connections, the next one forgets them, and when there had been as many as are
 * served at once, it takes another one to listen again. */
#define RUNS 3

/* Of microhttpd.h, as its shared object's version 12 keeps them. */
#define MHD_NO                      0
#define MHD_YES                     1
#define MHD_USE_EPOLL               512u
#define MHD_OPTION_END              0
#define MHD_OPTION_CONNECTION_LIMIT 2
#define MHD_OPTION_TIMEOUT          3
#define MHD_OPTION_LISTEN_SOCKET    12
#define MHD_DAEMON_INFO_EPOLL_FD    3
#define MHD_RESPMEM_PERSISTENT      0
#define MHD_RESPMEM_MUST_FREE       1

#define HTTP_OK                 200u
#define HTTP_NOT_FOUND          404u
#define HTTP_METHOD_NOT_ALLOWED 405u

typedef int answer_function(void *context, void *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *upload_bytes,
                            void **ret_state);

struct microhttpd {
    void *handle;
    void *(*start_daemon)(unsigned flags, uint16_t port, void *accept, void *accept_context,
                          answer_function *answer, void *context, ...);
    void (*stop_daemon)(void *daemon);
    const int *(*get_daemon_info)(void *daemon, int kind, ...);
    int (*run)(void *daemon);
    int (*get_timeout)(void *daemon, unsigned long long *ret_timeout_ms);
    void *(*response)(size_t length, void *bytes, int mode);
    int (*add_header)(void *response, const char *name, const char *value);
    int (*queue)(void *connection, unsigned status, void *response);
    void (*destroy)(void *response);
};

struct metrics_server {
    struct microhttpd http;
    const struct broker *broker;
    void *daemon;
    int timer; /* timerfd */
};

static bool http_load(struct microhttpd *http)
{
    http->handle = library_open(LIBRARY);
    return http->handle != NULL &&
           library_find(http->handle, "MHD_start_daemon", &http->start_daemon) &&
           library_find(http->handle, "MHD_stop_daemon", &http->stop_daemon) &&
           library_find(http->handle, "MHD_get_daemon_info", &http->get_daemon_info) &&
           library_find(http->handle, "MHD_run", &http->run) &&
           library_find(http->handle, "MHD_get_timeout", &http->get_timeout) &&
           library_find(http->handle, "MHD_create_response_from_buffer", &http->response) &&
           library_find(http->handle, "MHD_add_response_header", &http->add_header) &&
           library_find(http->handle, "MHD_queue_response", &http->queue) &&
           library_find(http->handle, "MHD_destroy_response", &http->destroy);
}

/* ---- Requests. ---- */

/* Answers with `text`, which is freed after that if `mode` says so. */
static int answer_text(const struct microhttpd *http, void *connection, unsigned status,
                       const char *type, char *text, size_t length, int mode)
{
    void *response = http->response(length, text, mode);
    if (response == NULL) {
        if (mode == MHD_RESPMEM_MUST_FREE)
            free(text);
        return MHD_NO;
    }
    http->add_header(response, "Content-Type", type);
    if (status == HTTP_METHOD_NOT_ALLOWED)
        http->add_header(response, "Allow", "GET, HEAD");
    const int result = http->queue(connection, status, response);
    http->destroy(response);
    return result;
}

/* MHD_AccessHandlerCallback: first for the head of a request, again for each part of a body, then
 * for its end, when it is answered; a body is thrown away. */
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

static void timer_set(const struct metrics_server *server, unsigned long long timeout_ms)
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
        timer_set(server, 0); /* never */
    else
        timer_set(server, timeout_ms > 0 ? timeout_ms : 1);
}

static void on_timer(void *context)
{
    const struct metrics_server *server = context;
    uint64_t times;
    if (read(server->timer, &times, sizeof(times)) == sizeof(times))
        on_ready(context);
}

/* ---- Beginning and end. ---- */

/* A socket that listens there, and what its address is by now; -1 with errno. */
static int socket_listen(struct address *address)
{
    static const int on = 1;
    const int fd =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct sockaddr *name = (struct sockaddr *)&address->storage;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, name, address->length) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, name, &address->length) == 0)
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Hands the socket over to libmicrohttpd, and its descriptor and the timer to the loop. */
static bool start(struct metrics_server *server, struct loop *loop, int fd)
{
    const struct microhttpd *http = &server->http;
    server->daemon =
        http->start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET,
                           fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_TIMEOUT,
                           CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    if (server->daemon == NULL) {
        close(fd);
        return false;
    }
    const int *epoll = http->get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return epoll != NULL && server->timer >= 0 &&
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
    struct endpoint endpoint;
    struct address address;
    *ret_reason =
        endpoint_read_address(options->listener, "is not of the form host:port", &endpoint);
    if (*ret_reason == NULL)
        *ret_reason = address_resolve(endpoint.host, endpoint.port, &address);
    if (*ret_reason != NULL)
        return NULL;
    struct metrics_server *server = calloc(1, sizeof(*server));
    CHECK(server != NULL);
    server->broker = options->broker;
    server->timer = -1;
    if (!http_load(&server->http)) {
        *ret_reason = "there is no " LIBRARY " here; install libmicrohttpd 0.9.75 or a later one";
    } else {
        const int fd = socket_listen(&address);
        if (fd >= 0 && start(server, options->loop, fd)) {
            tell_address(options->logger, &address);
            return server;
        }
        *ret_reason = strerror(errno);
    }
    metrics_server_free(server);
    return NULL;
}

void metrics_server_free(struct metrics_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL)
        server->http.stop_daemon(server->daemon);
    if (server->timer >= 0)
        close(server->timer);
    if (server->http.handle != NULL)
        dlclose(server->http.handle);
    free(server);
}
