/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that net/ makes once it runs, in one table, so that tests make them fail. */
#ifndef NET_CALLS_H
#define NET_CALLS_H

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct net_calls {
    int (*accept4)(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags);
    int (*close)(int fd);
    int (*epoll_pwait2)(int epoll, struct epoll_event *ret_events, int events_max,
                        const struct timespec *timeout, const sigset_t *mask);
    ssize_t (*recv)(int fd, void *data, size_t length, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
    ssize_t (*sendfile)(int fd, int file, off_t *offset, size_t length);
};

/* The real ones. */
extern const struct net_calls net_calls_system;

#endif
