/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/base/check.h"

/* Names looked up at once. A node has a handful of peers, and asks for each of them once. */
#define LOOKUPS_MAX 32

/* The C library's resolver keeps whole answers on the stack. */
#define THREAD_STACK_BYTES ((size_t)512 * 1024)

struct resolver {
    const struct net_calls *calls;
    int fd;               /* eventfd: there are lookups that have ended */
    pthread_mutex_t lock; /* guards all below */
    uint32_t users;       /* the loop, and each thread; the last one frees it */
    bool abandoned;       /* the loop went */
    struct lookup *first; /* that have ended, the oldest first */
    struct lookup **last;
};

static void locked(struct resolver *resolver)
{
    CHECK(pthread_mutex_lock(&resolver->lock) == 0);
}

static void unlocked(struct resolver *resolver)
{
    CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
}

struct resolver *resolver_new(const struct net_calls *calls)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return NULL;
    resolver->calls = calls;
    resolver->users = 1;
    resolver->last = &resolver->first;
    resolver->fd = calls->eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolver->fd < 0) {
        free(resolver);
        return NULL;
    }
    CHECK(pthread_mutex_init(&resolver->lock, NULL) == 0);
    return resolver;
}

/* Gives up one use; called with the lock, which is released. */
static void release(struct resolver *resolver)
{
    const bool is_last = --resolver->users == 0;
    unlocked(resolver);
    if (!is_last)
        return;
    resolver->calls->close(resolver->fd);
    CHECK(pthread_mutex_destroy(&resolver->lock) == 0);
    free(resolver);
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    struct lookup *lookup;
    while ((lookup = resolver_take(resolver)) != NULL)
        free(lookup);
    locked(resolver);
    resolver->abandoned = true;
    release(resolver);
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->fd;
}

static void wake_loop(const struct resolver *resolver)
{
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = resolver->calls->write(resolver->fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    CHECK(written == (ssize_t)sizeof(one));
}

static void *thread_main(void *argument)
{
    struct lookup *lookup = argument;
    struct resolver *resolver = lookup->resolver;
    lookup->reason =
        address_find(span_text(lookup->host), lookup->port, &lookup->address, &lookup->is_unknown);
    locked(resolver);
    if (resolver->abandoned) {
        free(lookup);
    } else {
        *resolver->last = lookup;
        resolver->last = &lookup->next;
        wake_loop(resolver);
    }
    release(resolver);
    return NULL;
}

static bool thread_start(struct lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    /* The loop alone takes signals: a thread inherits the mask of its maker. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const bool started = pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0 &&
                         pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                         pthread_create(&thread, &attributes, thread_main, lookup) == 0;
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    pthread_attr_destroy(&attributes);
    return started;
}

bool resolver_look_up(struct resolver *resolver, uint64_t effect, struct span host, uint16_t port)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return false;
    CHECK(host.length <= HOST_BYTES_MAX);
    lookup->resolver = resolver;
    lookup->effect = effect;
    lookup->port = port;
    memcpy(lookup->host, host.data, host.length);
    locked(resolver);
    const bool has_room = resolver->users <= LOOKUPS_MAX;
    resolver->users += has_room;
    unlocked(resolver);
    if (has_room && thread_start(lookup))
        return true;
    if (has_room) {
        locked(resolver);
        release(resolver);
    }
    free(lookup);
    return false;
}

struct lookup *resolver_take(struct resolver *resolver)
{
    uint64_t count;
    locked(resolver);
    struct lookup *lookup = resolver->first;
    if (lookup != NULL) {
        resolver->first = lookup->next;
        if (resolver->first == NULL)
            resolver->last = &resolver->first;
    } else {
        /* Under the lock: whoever ends after this wakes the loop again. */
        (void)!resolver->calls->read(resolver->fd, &count, sizeof(count));
    }
    unlocked(resolver);
    return lookup;
}
