/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets' table. What it does is what Linux may do: a connection is watched edge-triggered, so
 * whoever was told "nothing more" although there was has to be told again by epoll. Modifying a
 * descriptor's registration does that (epoll_ctl(2)).
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "tests/faulty/faulty.h"

#define DESCRIPTORS_MAX 65536
#define PIECES_MAX      1024

/* How a descriptor is registered; belongs to the loop's thread. */
static struct registration {
    int epoll;
    struct epoll_event event; /* no events: not registered edge-triggered */
} registrations[DESCRIPTORS_MAX];

static struct registration *registration_of(int fd)
{
    return &registrations[fd < DESCRIPTORS_MAX ? fd : 0];
}

static void tell_again(int fd)
{
    struct registration *registration = registration_of(fd);
    if (registration->event.events != 0)
        epoll_ctl(registration->epoll, EPOLL_CTL_MOD, fd, &registration->event);
}

static int net_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    const int result = epoll_ctl(epoll, operation, fd, event);
    if (result == 0 && fd < DESCRIPTORS_MAX && (event->events & EPOLLET) != 0)
        registrations[fd] = (struct registration){epoll, *event};
    return result;
}

/* On Linux the descriptor is gone even then. */
static int net_close(int fd)
{
    registration_of(fd)->event.events = 0;
    const int result = close(fd);
    if (result == 0 && faulty_happens(FAULT_INTERRUPTED)) {
        errno = EINTR;
        return -1;
    }
    return result;
}

static int net_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return bind(fd, address, length);
}

/* A connection that was interrupted goes on by itself. */
static int net_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    const int result = connect(fd, address, length);
    if (result != 0 && errno == EINPROGRESS && faulty_happens(FAULT_INTERRUPTED))
        errno = EINTR;
    return result;
}

static int net_getpeername(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getpeername(fd, ret_address, ret_length);
}

static int net_getsockname(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getsockname(fd, ret_address, ret_length);
}

static int net_accept4(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags)
{
    if (faulty_happens(FAULT_NO_ACCEPT))
        errno = faulty_below(2) == 0 ? EMFILE : ENFILE;
    else if (faulty_happens(FAULT_INTERRUPTED))
        errno = faulty_below(2) == 0 ? EINTR : ECONNABORTED;
    else if (faulty_happens(FAULT_AGAIN))
        errno = EAGAIN;
    else
        return accept4(fd, ret_peer, ret_length, flags);
    return -1;
}

/* Something that is not so, of a connection that is there. Returns how many events that makes. */
static int lie(int epoll, struct epoll_event *ret_event)
{
    const uint64_t first = faulty_below(DESCRIPTORS_MAX);
    for (uint64_t i = 0; i < DESCRIPTORS_MAX; i++) {
        const struct registration *at = &registrations[(first + i) % DESCRIPTORS_MAX];
        if (at->event.events == 0 || at->epoll != epoll)
            continue;
        *ret_event = at->event;
        ret_event->events = EPOLLIN | EPOLLOUT;
        return 1;
    }
    return 0;
}

static int net_epoll_pwait2(int epoll, struct epoll_event *ret_events, int events_max,
                            const struct timespec *timeout, const sigset_t *mask)
{
    if (!faulty_happens(FAULT_WAKE))
        return epoll_pwait2(epoll, ret_events, events_max, timeout, mask);
    switch (faulty_below(3)) {
    case 0:
        errno = EINTR;
        return -1;
    case 1:
        return lie(epoll, ret_events);
    default:
        return epoll_pwait2(epoll, ret_events, 1, timeout, mask);
    }
}

/* True when the call fails with errno: before it did anything, and for no lasting reason. */
static bool fails(int fd)
{
    if (faulty_happens(FAULT_INTERRUPTED)) {
        errno = EINTR;
        return true;
    }
    if (faulty_happens(FAULT_AGAIN)) {
        tell_again(fd);
        errno = EAGAIN;
        return true;
    }
    return false;
}

static ssize_t net_recv(int fd, void *data, size_t length, int flags)
{
    if (fails(fd))
        return -1;
    if (length < 2 || !faulty_happens(FAULT_SHORT))
        return recv(fd, data, length, flags);
    /* As if the rest had not arrived yet. */
    const ssize_t got = recv(fd, data, 1 + faulty_below(length - 1), flags);
    tell_again(fd);
    return got;
}

static ssize_t net_sendmsg(int fd, const struct msghdr *message, int flags)
{
    const int count = (int)message->msg_iovlen;
    const size_t length = faulty_length(message->msg_iov, count);
    struct iovec kept[PIECES_MAX];
    if (fails(fd))
        return -1;
    if (length < 2 || count > PIECES_MAX || !faulty_happens(FAULT_SHORT))
        return sendmsg(fd, message, flags);
    const int kept_count =
        faulty_shorten(message->msg_iov, count, 1 + faulty_below(length - 1), kept);
    const struct msghdr shorter = {.msg_iov = kept, .msg_iovlen = (size_t)kept_count};
    return sendmsg(fd, &shorter, flags);
}

static ssize_t net_sendfile(int fd, int file, off_t *offset, size_t length)
{
    if (fails(fd))
        return -1;
    if (length >= 2 && faulty_happens(FAULT_SHORT))
        length = 1 + faulty_below(length - 1);
    return sendfile(fd, file, offset, length);
}

const struct net_calls faulty_net_calls = {
    .socket = socket,
    .setsockopt = setsockopt,
    .bind = net_bind,
    .listen = listen,
    .connect = net_connect,
    .getsockopt = getsockopt,
    .getpeername = net_getpeername,
    .getsockname = net_getsockname,
    .accept4 = net_accept4,
    .close = net_close,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = net_epoll_ctl,
    .epoll_pwait2 = net_epoll_pwait2,
    .epoll_wait = epoll_wait,
    .recv = net_recv,
    .sendmsg = net_sendmsg,
    .sendfile = net_sendfile,
    .eventfd = eventfd,
    .read = read,
    .write = write,
    .clock_gettime = clock_gettime,
};
