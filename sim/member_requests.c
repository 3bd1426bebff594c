/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/conf.h"
#include "sim/assignor.h"
#include "sim/host.h"
#include "sim/member.h"

#define METADATA_VERSION 12
#define REBALANCE_MS     ((uint64_t)500)
#define REBALANCE_MS_MAX ((uint64_t)3000)
/* How much longer than others a request may take that waits for the rest of the group. */
#define MARGIN_MS ((uint64_t)2000)
/* Requests with an earlier generation, among those that have one. */
#define LATE_ONE_IN 20
/* A session that a broker without a lower bound should still give. */
#define SESSION_MS_LEAST ((uint64_t)300)

static int16_t version_draw(struct member *member, int16_t least, int16_t knows_static,
                            int16_t most)
{
    const bool is_static = member->instance_id[0] != '\0';
    return (int16_t)chance_between(&member->client.rng,
                                   (uint64_t)(is_static ? knows_static : least), (uint64_t)most);
}

void member_draw(struct member *member)
{
    struct chance *rng = &member->client.rng;
    member->versions = (struct member_versions){
        .find_coordinator = version_draw(member, 0, 0, 6),
        .join_group = version_draw(member, 0, 5, 9),
        .sync_group = version_draw(member, 0, 3, 5),
        .heartbeat = version_draw(member, 0, 3, 4),
        .leave_group = version_draw(member, 0, 3, 5),
        .offset_commit = version_draw(member, 2, 7, 10),
        .offset_fetch = version_draw(member, 1, 1, 10),
        .subscription = version_draw(member, 0, 0, 3),
    };
    const struct host *host = member->client.sim->hosts[member->client.host - 1];
    uint64_t session_ms = (uint64_t)conf_int(&host->conf, CONF_GROUP_MIN_SESSION_TIMEOUT_MS);
    if (session_ms < SESSION_MS_LEAST)
        session_ms = SESSION_MS_LEAST;
    member->session_timeout_ms = (int32_t)chance_between(rng, session_ms, 2 * session_ms);
    member->rebalance_timeout_ms = (int32_t)chance_between(rng, REBALANCE_MS, REBALANCE_MS_MAX);
}

static struct span group_of(const struct member *member)
{
    return scenario_group(member->client.plan);
}

/* What waits for the other members takes as long as they may. */
static void send_patiently(struct member *member, struct exchange *exchange)
{
    const uint64_t others_ms = member->rebalance_timeout_ms > member->session_timeout_ms
                                   ? (uint64_t)member->rebalance_timeout_ms
                                   : (uint64_t)member->session_timeout_ms;
    member->asked = true;
    member->contact.timeout_us = member->timeout_us + (others_ms + MARGIN_MS) * 1000;
    contact_send(&member->contact, exchange, NULL);
}

static void send(struct member *member, struct exchange *exchange)
{
    member->asked = true;
    member->contact.timeout_us = member->timeout_us;
    contact_send(&member->contact, exchange, NULL);
}

void member_find_coordinator(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_FIND_COORDINATOR, member->versions.find_coordinator);
    struct find_coordinator_request *request = (void *)(uintptr_t)exchange->request;
    request->key = group_of(member);
    request->coordinator_keys = peer_take(exchange, sizeof(*request->coordinator_keys));
    request->coordinator_keys[0] = group_of(member);
    request->coordinator_keys_count = 1;
    send(member, exchange);
}

void member_learn(struct member *member)
{
    struct exchange *exchange = contact_request(&member->contact, API_METADATA, METADATA_VERSION);
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&member->client);
    request->allow_auto_topic_creation = false;
    send(member, exchange);
}

void member_join(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_JOIN_GROUP, member->versions.join_group);
    struct join_group_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = group_of(member);
    request->session_timeout_ms = member->session_timeout_ms;
    request->rebalance_timeout_ms = member->rebalance_timeout_ms;
    request->member_id = peer_copy(exchange, member_id(member));
    request->group_instance_id = member_instance(member);
    request->protocol_type = SPAN("consumer");
    request->protocols = peer_take(exchange, sizeof(*request->protocols));
    request->protocols_count = 1;
    request->protocols[0].name = SPAN("range");
    request->protocols[0].metadata =
        assignor_subscribe(exchange, member->versions.subscription, client_topic(&member->client));
    send_patiently(member, exchange);
}

int32_t member_generation(struct member *member)
{
    const bool is_late = !member->settling && member->generation > 1 &&
                         chance_one_in(&member->client.rng, LATE_ONE_IN);
    return is_late ? member->generation - 1 : member->generation;
}

void member_sync(struct member *member, const struct join_group_response *joined)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_SYNC_GROUP, member->versions.sync_group);
    struct sync_group_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = group_of(member);
    request->generation_id = member_generation(member);
    request->member_id = peer_copy(exchange, member_id(member));
    request->group_instance_id = member_instance(member);
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("range");
    if (member->is_leader)
        assignor_divide(exchange, joined, client_topic(&member->client), member->partitions);
    send_patiently(member, exchange);
}

void member_heartbeat(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_HEARTBEAT, member->versions.heartbeat);
    struct heartbeat_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = group_of(member);
    request->generation_id = member_generation(member);
    request->member_id = peer_copy(exchange, member_id(member));
    request->group_instance_id = member_instance(member);
    member->beat_asked = true;
    contact_send(&member->contact, exchange, NULL);
}

void member_leave(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_LEAVE_GROUP, member->versions.leave_group);
    struct leave_group_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = group_of(member);
    request->member_id = peer_copy(exchange, member_id(member));
    request->members = peer_take(exchange, sizeof(*request->members));
    request->members_count = 1;
    request->members[0].member_id = request->member_id;
    request->members[0].group_instance_id = member_instance(member);
    request->members[0].reason = SPAN("its life ends");
    send(member, exchange);
}
