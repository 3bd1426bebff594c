/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/setup.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/wire/error.h"
#include "sim/memory.h"
#include "sim/peer.h"

#define SETUP_CLIENT 0 /* its number: those of the scenario start at 1 */
#define VERSION      7
#define RETRY_US     ((uint64_t)20000)

struct host_setup {
    struct setup *setup;
    struct host *host;
    struct peer *peer;
    struct task task;
    bool done;
};

struct setup {
    struct sim *sim;
    struct host_setup hosts[SIM_HOSTS_MAX];
};

static void try_again(struct task *task);

struct setup *setup_new(struct sim *sim)
{
    struct setup *setup = sim_allocate(NULL, sizeof(*setup));
    *setup = (struct setup){.sim = sim};
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        setup->hosts[i].setup = setup;
        setup->hosts[i].host = sim->hosts[i];
    }
    return setup;
}

void setup_free(struct setup *setup)
{
    if (setup == NULL)
        return;
    for (uint32_t i = 0; i < setup->sim->hosts_count; i++)
        queue_cancel(&setup->sim->queue, &setup->hosts[i].task);
    free(setup);
}

static void later(struct host_setup *host)
{
    struct sim *sim = host->setup->sim;
    queue_put(&sim->queue, &host->task, sim->now_us + RETRY_US, try_again);
}

void setup_topic(struct exchange *exchange, struct create_topics_request_topic *topic,
                 const struct scenario_topic *plan)
{
    topic->name = span_text(plan->name);
    topic->num_partitions = (int32_t)plan->partitions;
    topic->replication_factor =
        plan->replication_factor == 0 ? -1 : (int16_t)plan->replication_factor;
    topic->configs_count = plan->config.count;
    if (plan->config.count == 0)
        return;
    topic->configs = peer_take(exchange, plan->config.count * sizeof(*topic->configs));
    for (uint32_t i = 0; i < plan->config.count; i++) {
        topic->configs[i].name = span_text(plan->config.items[i].key);
        topic->configs[i].value = span_text(plan->config.items[i].value);
    }
}

static void on_opened(void *context, struct peer *peer)
{
    const struct host_setup *host = context;
    const struct scenario *scenario = host->setup->sim->scenario;
    struct exchange *exchange = peer_request(peer, API_CREATE_TOPICS, VERSION);
    struct create_topics_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, (scenario->topics_count + 1) * sizeof(*request->topics));
    request->topics_count = scenario->topics_count;
    for (uint32_t i = 0; i < scenario->topics_count; i++)
        setup_topic(exchange, &request->topics[i], &scenario->topics[i]);
    peer_send(peer, exchange, NULL);
}

static void on_received(void *context, struct peer *peer, const struct exchange *exchange)
{
    struct host_setup *host = context;
    const struct create_topics_response *response = exchange->response;
    host->done = true;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const int16_t error = response->topics[i].error_code;
        host->done = host->done && (error == ERR_NONE || error == ERR_TOPIC_ALREADY_EXISTS);
    }
    host->peer = NULL;
    peer_close(peer);
    if (!host->done)
        later(host);
}

static void on_lost(void *context, struct peer *peer, const struct exchange *exchange)
{
    (void)context;
    (void)peer;
    (void)exchange;
}

static void on_closed(void *context, struct peer *peer)
{
    (void)peer;
    struct host_setup *host = context;
    host->peer = NULL;
    later(host);
}

static const struct peer_events events_of_peers = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .closed = on_closed};

static void try_again(struct task *task)
{
    struct host_setup *host = container_of(task, struct host_setup, task);
    host->peer =
        peer_open(host->setup->sim, SETUP_CLIENT, host->host->number, &events_of_peers, host);
}

void setup_start(struct setup *setup)
{
    for (uint32_t i = 0; i < setup->sim->hosts_count; i++)
        later(&setup->hosts[i]);
}

void setup_explain(const struct setup *setup, char *ret_text, size_t text_bytes)
{
    size_t length = 0;
    snprintf(ret_text, text_bytes, "all nodes have the topics");
    for (uint32_t i = 0; i < setup->sim->hosts_count && length + 1 < text_bytes; i++) {
        if (setup->hosts[i].done)
            continue;
        const int added =
            snprintf(ret_text + length, text_bytes - length, "%s%s has not made the topics",
                     length == 0 ? "" : "; ", setup->hosts[i].host->name);
        length += added > 0 ? (size_t)added : 0;
    }
}

bool setup_is_done(const struct setup *setup)
{
    for (uint32_t i = 0; i < setup->sim->hosts_count; i++) {
        if (!setup->hosts[i].done)
            return false;
    }
    return true;
}
