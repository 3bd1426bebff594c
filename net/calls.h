/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call that net/ makes, in one table, so that tests make each of them fail.
 * tests/driver-calls.sh finds one that goes past it. */
#ifndef NET_CALLS_H
#define NET_CALLS_H

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct net_calls {
    int (*socket)(int family, int type, int protocol);
    int (*setsockopt)(int fd, int level, int option, const void *value, socklen_t length);
    int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
    int (*listen)(int fd, int backlog);
    int (*connect)(int fd, const struct sockaddr *address, socklen_t length);
    int (*getsockopt)(int fd, int level, int option, void *ret_value, socklen_t *ret_length);
    int (*getpeername)(int fd, struct sockaddr *ret_address, socklen_t *ret_length);
    int (*getsockname)(int fd, struct sockaddr *ret_address, socklen_t *ret_length);
    int (*accept4)(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags);
    int (*close)(int fd);
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_pwait2)(int epoll, struct epoll_event *ret_events, int events_max,
                        const struct timespec *timeout, const sigset_t *mask);
    int (*epoll_wait)(int epoll, struct epoll_event *ret_events, int events_max, int timeout_ms);
    ssize_t (*recv)(int fd, void *data, size_t length, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
    ssize_t (*sendfile)(int fd, int file, off_t *offset, size_t length);
    int (*eventfd)(unsigned start, int flags);
    ssize_t (*read)(int fd, void *data, size_t length);
    ssize_t (*write)(int fd, const void *data, size_t length);
    int (*clock_gettime)(clockid_t clock, struct timespec *ret_now);
};

/* The real ones. */
extern const struct net_calls net_calls_system;

#endif
