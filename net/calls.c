/* SPDX-License-Identifier: Apache-2.0 */
#include "net/calls.h"

#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* glibc declares the addresses of these as a union that a plain pointer does not match. */
static int call_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return bind(fd, address, length);
}

static int call_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return connect(fd, address, length);
}

static int call_getpeername(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getpeername(fd, ret_address, ret_length);
}

static int call_getsockname(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getsockname(fd, ret_address, ret_length);
}

static int call_accept4(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags)
{
    return accept4(fd, ret_peer, ret_length, flags);
}

const struct net_calls net_calls_system = {
    .socket = socket,
    .setsockopt = setsockopt,
    .bind = call_bind,
    .listen = listen,
    .connect = call_connect,
    .getsockopt = getsockopt,
    .getpeername = call_getpeername,
    .getsockname = call_getsockname,
    .accept4 = call_accept4,
    .close = close,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = epoll_ctl,
    .epoll_pwait2 = epoll_pwait2,
    .epoll_wait = epoll_wait,
    .recv = recv,
    .sendmsg = sendmsg,
    .sendfile = sendfile,
    .eventfd = eventfd,
    .read = read,
    .write = write,
    .clock_gettime = clock_gettime,
};
