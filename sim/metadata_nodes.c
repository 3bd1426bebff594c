/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/format.h"
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/metadata_answers.h"

#define METADATA_WITH_RACKS      1 /* and the controller */
#define METADATA_WITH_CLUSTER_ID 2
#define CLUSTER_WITH_FENCED      2
#define QUORUM_WITH_DIRECTORIES  2

/* What an answer tells of the cluster. */
struct cluster_told {
    struct span cluster_id; /* null: nothing */
    int32_t controller;
    int32_t brokers;
    bool with_fenced;
};

static uint32_t tellable_count(const struct image *image, bool with_fenced)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < image->brokers_count; i++)
        count += with_fenced || !image->brokers[i].fenced;
    return count;
}

static void judge_cluster(struct judge *judge, const struct exchange *exchange,
                          const struct image *image, const struct cluster_told *told)
{
    const struct span all = SPAN("the cluster");
    const int32_t node = (int32_t)exchange->host->number;
    judge->judged++;
    if (told->controller != node)
        metadata_differs(judge, exchange, all, "a controller", told->controller, node);
    metadata_judge_cluster_id(judge, exchange, told->cluster_id);
    if (image != NULL && (uint32_t)told->brokers != tellable_count(image, told->with_fenced))
        metadata_differs(judge, exchange, all, "brokers", told->brokers,
                         tellable_count(image, told->with_fenced));
}

/* The brokers of every node have one listener for clients. */
void metadata_address_told(struct judge *judge, const struct exchange *exchange,
                           const struct address_told *told)
{
    const struct image *image = metadata_truth_of_brokers(judge, exchange);
    if (image == NULL)
        return;
    const struct meta_broker *broker = image_broker(image, told->id);
    const struct meta_endpoint *endpoint =
        broker == NULL ? NULL : image_endpoint(broker, exchange->host->conf.listeners[0].name);
    judge->judged++;
    if (endpoint == NULL)
        metadata_differs(judge, exchange, SPAN("brokers"), "one with number", told->id, -1);
    else if (!span_equal(told->host, endpoint->host) || told->port != endpoint->port ||
             span_is_null(told->rack) != span_is_null(broker->rack) ||
             !span_equal(told->rack, broker->rack))
        judge_object(judge,
                     "%s of %s tells of broker %d: %.*s:%d in rack %.*s, and the metadata log says "
                     "%.*s:%u in rack %.*s",
                     exchange->api->name, exchange->host->name, told->id, SPAN_ARGS(told->host),
                     told->port, SPAN_ARGS(told->rack), SPAN_ARGS(endpoint->host), endpoint->port,
                     SPAN_ARGS(broker->rack));
}

static void judge_fenced(struct judge *judge, const struct exchange *exchange,
                         const struct image *image, int32_t id, bool told)
{
    const struct meta_broker *broker = image_broker(image, id);
    if (broker != NULL && broker->fenced != told)
        metadata_differs(judge, exchange, SPAN("brokers"), "whether one is fenced", told,
                         broker->fenced);
}

void metadata_nodes_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct metadata_response *response = exchange->response;
    const struct image *image = metadata_truth_of_brokers(judge, exchange);
    const bool has_racks = exchange->version >= METADATA_WITH_RACKS;
    if (has_racks)
        judge_cluster(judge, exchange, image,
                      &(struct cluster_told){
                          .cluster_id = exchange->version >= METADATA_WITH_CLUSTER_ID
                                            ? response->cluster_id
                                            : SPAN_NULL,
                          .controller = response->controller_id,
                          .brokers = response->brokers_count,
                      });
    for (int32_t i = 0; image != NULL && has_racks && i < response->brokers_count; i++) {
        const struct metadata_response_broker *broker = &response->brokers[i];
        metadata_address_told(
            judge, exchange,
            &(struct address_told){broker->node_id, broker->host, broker->port, broker->rack});
        judge_fenced(judge, exchange, image, broker->node_id, false);
    }
}

void metadata_cluster_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct describe_cluster_request *request = exchange->request;
    const struct describe_cluster_response *response = exchange->response;
    const struct image *image = metadata_truth_of_brokers(judge, exchange);
    if (response->error_code != ERR_NONE)
        return;
    const bool with_fenced =
        exchange->version >= CLUSTER_WITH_FENCED && request->include_fenced_brokers;
    judge_cluster(judge, exchange, image,
                  &(struct cluster_told){response->cluster_id, response->controller_id,
                                         response->brokers_count, with_fenced});
    for (int32_t i = 0; image != NULL && i < response->brokers_count; i++) {
        const struct describe_cluster_response_broker *broker = &response->brokers[i];
        metadata_address_told(
            judge, exchange,
            &(struct address_told){broker->broker_id, broker->host, broker->port, broker->rack});
        judge_fenced(judge, exchange, image, broker->broker_id,
                     exchange->version >= CLUSTER_WITH_FENCED && broker->is_fenced);
    }
}

/* ---- DescribeQuorum. ---- */

typedef const struct describe_quorum_response_topic_partition *quorum_told;

/* Who answered may lead no more, and not know it: then its voters may be those of before. */
static bool is_of_the_past(const struct judge *judge, quorum_told told)
{
    const struct sim *sim = judge->sim;
    struct quorum_view view;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (sim->hosts[i]->broker != NULL && broker_view_quorum(sim->hosts[i]->broker, &view) &&
            view.term > told->leader_epoch)
            return true;
    }
    return false;
}

static bool is_told(const struct exchange *exchange, quorum_told told, const struct voter_set *set)
{
    const bool has_directories = exchange->version >= QUORUM_WITH_DIRECTORIES;
    uint32_t found = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        for (int32_t j = 0; j < told->current_voters_count; j++)
            found += told->current_voters[j].replica_id == set->voters[i].node &&
                     (!has_directories || uuid_equal(told->current_voters[j].replica_directory_id,
                                                     set->voters[i].directory));
    }
    return found == set->count && (uint32_t)told->current_voters_count == set->count;
}

static void judge_voters(struct judge *judge, const struct exchange *exchange, quorum_told told)
{
    const struct committed *committed = judges_committed(judge->sim->judges);
    struct voter_set set;
    if (!committed_voters(committed, 0, &set) ||
        committed_voters_number(committed) > exchange->asked_number || is_of_the_past(judge, told))
        return;
    judge->judged++;
    for (uint32_t i = 0; committed_voters(committed, i, &set); i++) {
        if (is_told(exchange, told, &set))
            return;
    }
    judge_object(judge,
                 "DescribeQuorum of %s tells of %d voters in term %d, and the metadata log has "
                 "others",
                 exchange->host->name, told->current_voters_count, told->leader_epoch);
}

static void judge_leader(struct judge *judge, const struct exchange *exchange, quorum_told told)
{
    const struct sim *sim = judge->sim;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        struct quorum_view view;
        const struct host *host = sim->hosts[i];
        if (host->broker == NULL || !broker_view_quorum(host->broker, &view) ||
            view.term != told->leader_epoch || view.leader < 0)
            continue;
        judge->judged++;
        if (view.leader != told->leader_id)
            judge_object(
                judge, "DescribeQuorum of %s tells of leader %d in term %d, in which %s knows %d",
                exchange->host->name, told->leader_id, told->leader_epoch, host->name, view.leader);
        if (told->leader_id == (int32_t)host->number && told->high_watermark > view.committed)
            judge_object(judge,
                         "DescribeQuorum of %s tells that all before %lld is committed, and the "
                         "leader has committed what is before %lld",
                         exchange->host->name, (long long)told->high_watermark,
                         (long long)view.committed);
    }
}

void metadata_quorum_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct describe_quorum_response *response = exchange->response;
    if (!exchange->host->conf.is_cluster || response->error_code != ERR_NONE ||
        response->topics_count != 1 || response->topics->partitions_count != 1 ||
        response->topics->partitions->error_code != ERR_NONE)
        return;
    judge_leader(judge, exchange, response->topics->partitions);
    judge_voters(judge, exchange, response->topics->partitions);
}
