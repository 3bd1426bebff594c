/* SPDX-License-Identifier: Apache-2.0 */
#include "net/calls.h"

#include <sys/sendfile.h>
#include <unistd.h>

/* glibc declares the address of accept4 as a union that a plain pointer does not match. */
static int call_accept4(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags)
{
    return accept4(fd, ret_peer, ret_length, flags);
}

const struct net_calls net_calls_system = {
    .accept4 = call_accept4,
    .close = close,
    .epoll_pwait2 = epoll_pwait2,
    .recv = recv,
    .sendmsg = sendmsg,
    .sendfile = sendfile,
};
