/* SPDX-License-Identifier: Apache-2.0 */
/* RemoveRaftVoter (KIP-853): a node votes no longer, and follows on if it lives. */
#include "core/api/table.h"
#include "core/api/voter_change.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

static void answer(struct leader_task *task, int error, struct span why)
{
    struct remove_raft_voter_response *response = leader_task_response(task);
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

static void serve(struct leader_task *task)
{
    const struct remove_raft_voter_request *body = task->body;
    struct voter_change *change = arena_take(task->arena, sizeof(*change));
    if (change == NULL) {
        leader_task_answer(task, NULL);
        return;
    }
    if (!voter_change_is_for(task, body->cluster_id)) {
        answer(task, ERR_INCONSISTENT_CLUSTER_ID, SPAN_NULL);
        return;
    }
    change->task = task;
    change->id = (struct raft_id){body->voter_id, body->voter_directory_id};
    change->done = done;
    voter_change_start(change, VOTER_CHANGE_TIMEOUT_MS);
}

static void refuse(struct request *request, int error)
{
    struct remove_raft_voter_response *response = request_response(request);
    if (response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    response->error_code =
        error == ERR_NOT_CONTROLLER ? ERR_NOT_LEADER_OR_FOLLOWER : ERR_REQUEST_TIMED_OUT;
    request_reply(request, response);
}

const struct leader_service remove_raft_voter_service = {
    .key = API_REMOVE_RAFT_VOTER,
    .serve = serve,
    .refuse = refuse,
};

void remove_raft_voter_handle(struct broker *broker, struct request *request)
{
    leader_call(broker, request, &remove_raft_voter_service);
}
