/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_brokers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "core/base/format.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* Brokers that are asked at a time: who does not answer holds up nobody else. */
#define BROKERS_AT_A_TIME 32

typedef struct describe_topic_partitions_response page_told;

/* One answer of DescribeTopicPartitions, in the client's arena. */
struct page {
    struct page *next;
    page_told told;
};

struct asked_broker {
    const struct describe_cluster_response_broker *broker;
    int timeout_ms;
    bool has_thread;
    pthread_t thread;
    struct client client; /* what it told lies there */
    struct page *pages;
    struct broker_answer answer;
};

struct cluster_brokers {
    size_t count; /* of those that are asked */
    struct broker_answer *answers;
    size_t answers_count; /* as many as there are brokers */
    struct asked_broker asked[];
};

/* Returns NULL, or why it does not tell. */
static const char *ask_streams(struct asked_broker *asked)
{
    struct describe_cluster_request request;
    struct describe_cluster_response response;
    wire_defaults(&wire_describe_cluster_request, &request);
    request.include_streams = true;
    if (client_call(&asked->client, API_DESCRIBE_CLUSTER, &request, &response) != 0)
        return asked->client.message;
    if (response.error_code != ERR_NONE)
        return error_text(response.error_code);
    if (response.streams_count < 0)
        return "it is a broker that does not tell of its streams";
    asked->answer.streams = response.streams;
    asked->answer.streams_count = response.streams_count;
    return NULL;
}

/* A page behind the one that was asked for last; that one is the first without a cursor. */
static bool goes_on(const struct describe_topic_partitions_request_cursor *cursor,
                    const struct describe_topic_partitions_response_next_cursor *next)
{
    const int order = cursor == NULL ? 1 : span_compare(next->topic_name, cursor->topic_name);
    return order > 0 || (order == 0 && next->partition_index > cursor->partition_index);
}

/* Page by page. */
static const char *ask_partitions(struct asked_broker *asked)
{
    struct describe_topic_partitions_request_cursor cursor;
    struct describe_topic_partitions_request request;
    struct page *page;
    wire_defaults(&wire_describe_topic_partitions_request, &request);
    request.include_followers = true;
    for (;;) {
        page = arena_take(&asked->client.arena, sizeof(*page));
        if (page == NULL)
            return "out of memory";
        if (client_call(&asked->client, API_DESCRIBE_TOPIC_PARTITIONS, &request, &page->told) != 0)
            return asked->client.message;
        page->next = asked->pages;
        asked->pages = page;
        if (page->told.next_cursor == NULL)
            return NULL;
        if (!goes_on(request.cursor, page->told.next_cursor))
            return "it begins a page that has no end";
        cursor.topic_name = page->told.next_cursor->topic_name;
        cursor.partition_index = page->told.next_cursor->partition_index;
        request.cursor = &cursor;
    }
}

static void *reach(void *context)
{
    struct asked_broker *asked = context;
    const struct span host = asked->broker->host;
    const bool is_ipv6 = host.length > 0 && memchr(host.data, ':', host.length) != NULL;
    char server[300];
    snprintf(server, sizeof(server), is_ipv6 ? "[%.*s]:%d" : "%.*s:%d", SPAN_ARGS(host),
             asked->broker->port);
    asked->answer.id = asked->broker->broker_id;
    if (client_open(&asked->client, server, asked->timeout_ms) == 0)
        return NULL;
    asked->answer.why = asked->client.message;
    asked->client.message[strcspn(asked->client.message, "\n")] = '\0'; /* the hint behind it */
    return NULL;
}

static void *ask(void *context)
{
    struct asked_broker *asked = context;
    if (asked->answer.why == NULL)
        asked->answer.why = ask_streams(asked);
    if (asked->answer.why == NULL)
        asked->answer.why = ask_partitions(asked);
    return NULL;
}

static void run(struct cluster_brokers *brokers, void *(*action)(void *context))
{
    for (size_t i = 0; i < brokers->count; i += BROKERS_AT_A_TIME) {
        const size_t rest = brokers->count - i;
        const size_t end = i + (rest < BROKERS_AT_A_TIME ? rest : BROKERS_AT_A_TIME);
        for (size_t k = i; k < end; k++) {
            struct asked_broker *asked = &brokers->asked[k];
            asked->has_thread = pthread_create(&asked->thread, NULL, action, asked) == 0;
            if (!asked->has_thread)
                (void)action(asked);
        }
        for (size_t k = i; k < end; k++) {
            if (brokers->asked[k].has_thread)
                pthread_join(brokers->asked[k].thread, NULL);
        }
    }
}

/* ---- What they told, joined ---- */

static int by_place(const void *key, const void *element)
{
    const struct partition_view *wanted = key;
    const struct partition_view *partition = element;
    const int order = span_compare(wanted->topic, partition->topic);
    if (order != 0)
        return order;
    return (wanted->meta->partition_index > partition->meta->partition_index) -
           (wanted->meta->partition_index < partition->meta->partition_index);
}

/* The latest leader knows best; of others, whoever has the latest metadata does. */
static bool is_better(partition_told told, partition_told known)
{
    if (known == NULL || told->leader_epoch != known->leader_epoch)
        return known == NULL || told->leader_epoch > known->leader_epoch;
    return told->followers_count >= 0 && known->followers_count < 0;
}

static void join_page(const struct cluster_view *view, const page_told *page)
{
    for (int32_t i = 0; i < page->topics_count; i++) {
        for (int32_t j = 0; j < page->topics[i].partitions_count; j++) {
            partition_told told = &page->topics[i].partitions[j];
            const struct metadata_response_topic_partition number = {.partition_index =
                                                                         told->partition_index};
            const struct partition_view wanted = {.topic = page->topics[i].name, .meta = &number};
            struct partition_view *found =
                bsearch(&wanted, view->partitions, (size_t)view->partitions_count,
                        sizeof(*view->partitions), by_place);
            if (found != NULL && is_better(told, found->told))
                found->told = told;
        }
    }
}

struct cluster_brokers *cluster_brokers_reach(const struct describe_cluster_response *cluster,
                                              int timeout_ms)
{
    const size_t all = (size_t)cluster->brokers_count;
    const size_t count = all < CLUSTER_BROKERS_MAX ? all : CLUSTER_BROKERS_MAX;
    struct cluster_brokers *brokers = calloc(1, sizeof(*brokers) + count * sizeof(*brokers->asked));
    if (brokers == NULL)
        return NULL;
    brokers->answers = calloc(all + 1, sizeof(*brokers->answers));
    if (brokers->answers == NULL) {
        free(brokers);
        return NULL;
    }
    brokers->count = count;
    brokers->answers_count = all;
    for (size_t i = count; i < all; i++)
        brokers->answers[i] = (struct broker_answer){.id = cluster->brokers[i].broker_id,
                                                     .why = "there are too many to ask this one"};
    for (size_t i = 0; i < count; i++) {
        brokers->asked[i].broker = &cluster->brokers[i];
        brokers->asked[i].timeout_ms = timeout_ms;
    }
    run(brokers, reach);
    return brokers;
}

void cluster_brokers_ask(struct cluster_brokers *brokers, struct cluster_view *view)
{
    run(brokers, ask);
    for (size_t i = 0; i < brokers->count; i++) {
        brokers->answers[i] = brokers->asked[i].answer;
        for (const struct page *page = brokers->asked[i].pages; page != NULL; page = page->next)
            join_page(view, &page->told);
    }
    view->answers = brokers->answers;
    view->answers_count = (int32_t)brokers->answers_count;
}

void cluster_brokers_free(struct cluster_brokers *brokers)
{
    for (size_t i = 0; brokers != NULL && i < brokers->count; i++)
        client_close(&brokers->asked[i].client);
    if (brokers != NULL)
        free(brokers->answers);
    free(brokers);
}
