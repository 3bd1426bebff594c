/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd, loaded when it is needed: what it brings along, TLS above all, is nothing that a
 * broker which nobody asks should load. These are the parts of microhttpd.h that are used, as
 * version 12 of its shared object keeps them.
 */
#ifndef CLI_MICROHTTPD_H
#define CLI_MICROHTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MICROHTTPD_LIBRARY "libmicrohttpd.so.12"

#define MHD_NO                        0
#define MHD_YES                       1
#define MHD_USE_NO_LISTEN_SOCKET      256u
#define MHD_USE_EPOLL                 512u
#define MHD_OPTION_END                0
#define MHD_OPTION_CONNECTION_LIMIT   2
#define MHD_OPTION_CONNECTION_TIMEOUT 3
#define MHD_OPTION_NOTIFY_CONNECTION  27
#define MHD_CONNECTION_NOTIFY_STARTED 0
#define MHD_DAEMON_INFO_EPOLL_FD      3
#define MHD_CONNECTION_INFO_FD        6
#define MHD_RESPMEM_PERSISTENT        0
#define MHD_RESPMEM_MUST_FREE         1

/* MHD_AccessHandlerCallback. */
typedef int mhd_answer(void *context, void *connection, const char *url, const char *method,
                       const char *version, const char *upload, size_t *upload_bytes,
                       void **ret_state);

/* MHD_NotifyConnectionCallback. */
typedef void mhd_notify(void *context, void *connection, void **ret_state, int what);

struct microhttpd {
    void *handle;
    void *(*start_daemon)(unsigned flags, uint16_t port, void *accept, void *accept_context,
                          mhd_answer *answer, void *context, ...);
    void (*stop_daemon)(void *daemon);
    const int *(*get_daemon_info)(void *daemon, int kind, ...);
    const int *(*get_connection_info)(void *connection, int kind, ...);
    int (*add_connection)(void *daemon, int fd, const struct sockaddr *address, socklen_t length);
    int (*run)(void *daemon);
    int (*get_timeout)(void *daemon, unsigned long long *ret_timeout_ms);
    void *(*create_response)(size_t length, void *bytes, int mode);
    int (*add_header)(void *response, const char *name, const char *value);
    int (*queue_response)(void *connection, unsigned status, void *response);
    void (*destroy_response)(void *response);
};

/* False when this machine has none; microhttpd_unload() may be called all the same. */
bool microhttpd_load(struct microhttpd *http);
void microhttpd_unload(struct microhttpd *http);

#endif
