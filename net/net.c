/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "net/resolver.h"
#include "net/state.h"

#define REPORT_BYTES_MAX 512

/* Events taken from epoll at a time; what is more comes the next time. */
#define EVENTS_MAX 256

/* While accepting is paused nothing wakes us when it could go on, so that we look now and then. */
#define ACCEPT_PAUSE_US ((uint64_t)100 * 1000)

typedef void perform_effect(struct net *net, const struct effect *effect);

static perform_effect *const performs[] = {
    [EFFECT_LISTEN] = listener_listen,     [EFFECT_WATCH] = connection_watch,
    [EFFECT_RECEIVE] = connection_receive, [EFFECT_SEND] = connection_send,
    [EFFECT_CLOSE] = connection_close,     [EFFECT_CONNECT] = connection_connect,
};

struct net *net_new(const struct net_options *options)
{
    struct net *net = calloc(1, sizeof(*net));
    if (net == NULL)
        return NULL;
    net->options = *options;
    net->epoll = options->calls->epoll_create1(EPOLL_CLOEXEC);
    if (net->epoll < 0) {
        free(net);
        return NULL;
    }
    return net;
}

int net_add_source(struct net *net, int fd, void (*ready)(void *context), void *context)
{
    const size_t count = (size_t)net->sources_count + 1;
    struct source *sources = reallocarray(net->sources, count, sizeof(*sources));
    if (sources == NULL)
        return -1;
    net->sources = sources;
    struct epoll_event event = {
        .events = EPOLLIN,
        .data.u64 = EPOLL_SOURCE_FIRST + net->sources_count,
    };
    if (net->options.calls->epoll_ctl(net->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return -1;
    sources[net->sources_count++] = (struct source){ready, context};
    return 0;
}

static void dispatch(struct net *net, const struct epoll_event *event)
{
    const uint64_t id = event->data.u64;
    if (id >= (uint64_t)1 << CONNECTION_SLOT_BITS) {
        connection_ready(net, id, event->events);
    } else if (id >= EPOLL_SOURCE_FIRST) {
        const struct source *source = &net->sources[id - EPOLL_SOURCE_FIRST];
        source->ready(source->context);
    } else {
        listener_accept(net, &net->listeners[id]);
    }
}

static int wait_events(struct net *net, uint64_t timeout_us, struct epoll_event *events)
{
    if (!net->no_pwait2) {
        const struct timespec timeout = {
            .tv_sec = (time_t)(timeout_us / 1000000),
            .tv_nsec = (long)(timeout_us % 1000000) * 1000,
        };
        const int count = net->options.calls->epoll_pwait2(
            net->epoll, events, EVENTS_MAX, timeout_us == NET_FOREVER ? NULL : &timeout, NULL);
        if (count >= 0 || errno != ENOSYS)
            return count;
        net->no_pwait2 = true;
    }
    int timeout_ms = -1;
    if (timeout_us != NET_FOREVER) {
        const uint64_t rounded = timeout_us / 1000 + (timeout_us % 1000 != 0);
        timeout_ms = rounded > INT32_MAX ? INT32_MAX : (int)rounded;
    }
    return net->options.calls->epoll_wait(net->epoll, events, EVENTS_MAX, timeout_ms);
}

uint64_t clock_us(const struct net_calls *calls)
{
    struct timespec now;
    calls->clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* How long there is nothing to do but what epoll tells, up to this. */
static uint64_t sleep_us(const struct net *net, uint64_t most_us)
{
    if (net->parked_count > 0)
        return 0;
    if (net->accepting_paused && most_us > ACCEPT_PAUSE_US)
        most_us = ACCEPT_PAUSE_US;
    const uint64_t connect_us = connect_wait_us(net);
    return connect_us < most_us ? connect_us : most_us;
}

void net_wait(struct net *net, uint64_t timeout_us)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = wait_events(net, sleep_us(net, timeout_us), events);
    /* Interrupted: to the caller that is a short sleep. */
    CHECK(count >= 0 || errno == EINTR);
    net->options.woken(net->options.context);
    send_continue_parked(net);
    if (net->accepting_paused)
        listeners_resume(net);
    for (int i = 0; i < count; i++)
        dispatch(net, &events[i]);
    connect_again(net);
}

void net_perform(struct net *net, const struct effect *effect)
{
    CHECK(effect_is_of_network(effect->kind));
    performs[effect->kind](net, effect);
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    for (uint32_t i = 0; i < net->connections_capacity; i++) {
        if (net->connections[i].id != 0)
            net->options.calls->close(net->connections[i].fd);
    }
    for (uint32_t i = 0; i < net->listeners_count; i++)
        net->options.calls->close(net->listeners[i].fd);
    net->options.calls->close(net->epoll);
    resolver_free(net->resolver);
    free(net->connections);
    free(net->parked);
    free(net->tries);
    free(net->listeners);
    free(net->sources);
    free(net);
}

void net_complete(const struct net *net, uint64_t effect, int error, uint64_t count)
{
    const struct completion completion = {.effect = effect, .error = error, .count = count};
    net->options.complete(net->options.context, &completion);
}

void net_report(const struct net *net, const char *format, ...)
{
    char line[REPORT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    net->options.report(net->options.context, line);
}
