/* SPDX-License-Identifier: Apache-2.0 */
/* AddRaftVoter (KIP-853, KIP-1186): a node that follows becomes a voter; one whose disk was
 * replaced becomes one again, after its old self was removed. */
#include "core/api/table.h"
#include "core/api/voter_change.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct add_voter {
    struct voter_change change;
    struct voters_record_voter voter;
    struct voters_record_voter_endpoint endpoints[RAFT_ENDPOINTS_MAX];
};

static void answer(struct leader_task *task, int error, struct span why)
{
    struct add_raft_voter_response *response = leader_task_response(task);
    if (response != NULL) {
        response->error_code = (int16_t)error;
        response->error_message =
            error == ERR_NONE || !span_is_null(why) ? why : span_text(error_text(error));
    }
    leader_task_answer(task, response);
}

static void done(struct voter_change *change, int error, struct span why)
{
    answer(change->task, error, why);
}

static bool is_sound(const struct add_raft_voter_request *body)
{
    if (body->voter_id < 0 || uuid_is_zero(body->voter_directory_id) || body->listeners_count < 1 ||
        body->listeners_count > RAFT_ENDPOINTS_MAX)
        return false;
    for (int32_t i = 0; i < body->listeners_count; i++) {
        if (body->listeners[i].name.length == 0 ||
            body->listeners[i].name.length > META_ENDPOINT_TEXT_MAX ||
            body->listeners[i].host.length == 0 ||
            body->listeners[i].host.length > META_ENDPOINT_TEXT_MAX || body->listeners[i].port == 0)
            return false;
    }
    return true;
}

static void begin(struct leader_task *task, struct add_voter *add)
{
    const struct add_raft_voter_request *body = task->body;
    struct quorum *quorum = controller_quorum(task->broker->controller);
    for (int32_t i = 0; i < body->listeners_count; i++)
        add->endpoints[i] = (struct voters_record_voter_endpoint){
            body->listeners[i].name, body->listeners[i].host, body->listeners[i].port};
    add->voter = (struct voters_record_voter){
        .voter_id = body->voter_id,
        .voter_directory_id = body->voter_directory_id,
        .endpoints = add->endpoints,
        .endpoints_count = body->listeners_count,
        .kraft_version_feature = {.max_supported_version = 1},
    };
    add->change.task = task;
    add->change.id = raft_voter_id(&add->voter);
    add->change.voter = &add->voter;
    add->change.acknowledges_early = !body->ack_when_committed;
    add->change.done = done;
    /* It follows once it can be reached. */
    quorum_know(quorum, body->voter_id, body->listeners[0].host, body->listeners[0].port);
    voter_change_start(&add->change, body->timeout_ms);
}

static void serve(struct leader_task *task)
{
    const struct add_raft_voter_request *body = task->body;
    struct add_voter *add = arena_take(task->arena, sizeof(*add));
    if (add == NULL)
        leader_task_answer(task, NULL);
    else if (!voter_change_is_for(task, body->cluster_id))
        answer(task, ERR_INCONSISTENT_CLUSTER_ID, SPAN_NULL);
    else if (!is_sound(body))
        answer(task, ERR_INVALID_REQUEST,
               SPAN("A voter has an id, the id of a folder, and one to eight listeners."));
    else
        begin(task, add);
}

static void refuse(struct request *request, int error)
{
    struct add_raft_voter_response *response = request_response(request);
    if (response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    response->error_code =
        error == ERR_NOT_CONTROLLER ? ERR_NOT_LEADER_OR_FOLLOWER : ERR_REQUEST_TIMED_OUT;
    request_reply(request, response);
}

const struct leader_service add_raft_voter_service = {
    .key = API_ADD_RAFT_VOTER,
    .serve = serve,
    .refuse = refuse,
};

void add_raft_voter_handle(struct broker *broker, struct request *request)
{
    leader_call(broker, request, &add_raft_voter_service);
}
