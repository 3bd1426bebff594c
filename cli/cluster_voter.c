/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_voter.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/cluster_status.h"
#include "core/base/format.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* The folder of the node with this id that follows, or that votes. Of several that followed, the
 * one that was heard last: the others are what it was before. Returns NULL, or what is wrong. */
static const char *find_directory(const struct cluster_voter *voter, quorum_of_response quorum,
                                  struct uuid *ret_directory)
{
    const struct describe_quorum_response_topic_partition_observer *last = NULL;
    for (int32_t i = 0; !voter->adds && i < quorum->current_voters_count; i++) {
        if (quorum->current_voters[i].replica_id == voter->id) {
            *ret_directory = quorum->current_voters[i].replica_directory_id;
            return NULL;
        }
    }
    if (!voter->adds)
        return "there is no such voter";
    for (int32_t i = 0; i < quorum->observers_count; i++) {
        if (quorum->observers[i].replica_id == voter->id &&
            (last == NULL ||
             last->last_fetch_timestamp < quorum->observers[i].last_fetch_timestamp))
            last = &quorum->observers[i];
    }
    if (last == NULL)
        return "no such node follows the metadata: start it, with those that vote already as its "
               "controller.quorum.voters";
    *ret_directory = last->replica_directory_id;
    return NULL;
}

/* The name that other voters' listeners have. */
static struct span listener_name(const struct describe_quorum_response *response)
{
    for (int32_t i = 0; i < response->nodes_count; i++) {
        if (response->nodes[i].listeners_count > 0)
            return response->nodes[i].listeners[0].name;
    }
    return SPAN("CONTROLLER");
}

static const char *add(struct client *client, const struct cluster_voter *voter,
                       struct uuid directory, struct span name)
{
    struct add_raft_voter_request request;
    struct add_raft_voter_response response;
    struct add_raft_voter_request_listener listener = {
        .name = name, .host = voter->listener.host, .port = voter->listener.port};
    wire_defaults(&wire_add_raft_voter_request, &request);
    request.timeout_ms = voter->timeout_ms;
    request.cluster_id = SPAN_NULL; /* this one */
    request.voter_id = voter->id;
    request.voter_directory_id = directory;
    request.listeners = &listener;
    request.listeners_count = 1;
    if (client_call(client, API_ADD_RAFT_VOTER, &request, &response) != 0)
        return client->message;
    return response.error_code == ERR_NONE
               ? NULL
               : client_error_text(client, response.error_code, response.error_message);
}

static const char *remove_voter(struct client *client, const struct cluster_voter *voter,
                                struct uuid directory)
{
    struct remove_raft_voter_request request;
    struct remove_raft_voter_response response;
    wire_defaults(&wire_remove_raft_voter_request, &request);
    request.cluster_id = SPAN_NULL; /* this one */
    request.voter_id = voter->id;
    request.voter_directory_id = directory;
    if (client_call(client, API_REMOVE_RAFT_VOTER, &request, &response) != 0)
        return client->message;
    return response.error_code == ERR_NONE
               ? NULL
               : client_error_text(client, response.error_code, response.error_message);
}

/* Returns NULL, or what went wrong. */
static const char *change(struct client *client, const struct cluster_voter *voter)
{
    struct describe_quorum_response response;
    struct uuid directory = voter->directory;
    const char *why = NULL;
    quorum_of_response quorum = cluster_ask_quorum(client, &response);
    if (quorum == NULL)
        return "the broker does not tell who keeps the metadata";
    if (!voter->has_directory)
        why = find_directory(voter, quorum, &directory);
    if (why == NULL)
        why = voter->adds ? add(client, voter, directory,
                                span_is_null(voter->listener.name) ? listener_name(&response)
                                                                   : voter->listener.name)
                          : remove_voter(client, voter, directory);
    if (why == NULL)
        printf("node %d (%s) %s\n", voter->id, uuid_text(directory).text,
               voter->adds ? "is a voter" : "is no voter any more");
    return why;
}

int cluster_voter(const struct cmd *cmd, const struct cluster_voter *voter)
{
    const char *why = "out of memory";
    struct client *client = calloc(1, sizeof(*client));
    if (client != NULL)
        why = client_open(client, voter->servers, voter->timeout_ms) == 0 ? change(client, voter)
                                                                          : client->message;
    if (why != NULL)
        fprintf(stderr, "%s %s: voter %s %d: %s\n", cmd->program, cmd->name,
                voter->adds ? "add" : "remove", voter->id, why);
    if (client != NULL)
        client_close(client);
    free(client);
    return why == NULL ? EXIT_CODE_DONE : EXIT_CODE_FAILED;
}
