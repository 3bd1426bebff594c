/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"

#define METADATA_VERSION 13
#define CREATE_VERSION   7

void admin_start(struct admin *admin, const char *const *settings)
{
    node_init(&admin->node, 11, settings);
    ck_assert(node_start(&admin->node));
    admin->client = client_new(admin->node.world);
}

void admin_end(struct admin *admin)
{
    client_free(admin->client);
    node_free(&admin->node);
}

void admin_restart(struct admin *admin)
{
    client_free(admin->client);
    node_kill(&admin->node);
    ck_assert(node_start(&admin->node));
    admin->client = client_new(admin->node.world);
}

void *admin_array(struct admin *admin, size_t count, size_t size)
{
    void *array = arena_array(client_arena(admin->client), count, size);
    ck_assert_ptr_nonnull(array);
    return array;
}

const struct metadata_response *admin_metadata(struct admin *admin, int16_t version,
                                               const char *const *names, int32_t count)
{
    struct metadata_request *request = client_request(admin->client, API_METADATA);
    if (names == NULL && count != 0) {
        request->topics_count = -1;
    } else {
        request->topics = admin_array(admin, (size_t)count, sizeof(*request->topics));
        request->topics_count = count;
        for (int32_t i = 0; i < count; i++)
            request->topics[i].name = span_text(names[i]);
    }
    const struct metadata_response *response =
        client_call(admin->client, API_METADATA, version, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

const struct metadata_response_topic *admin_topic(struct admin *admin, const char *name)
{
    const struct metadata_response *response = admin_metadata(admin, METADATA_VERSION, &name, 1);
    ck_assert_int_eq(response->topics_count, 1);
    return &response->topics[0];
}

struct create_topics_request *admin_creation(struct admin *admin, const char *name,
                                             int32_t partitions, int16_t replicas)
{
    struct create_topics_request *create = client_request(admin->client, API_CREATE_TOPICS);
    create->topics = admin_array(admin, 1, sizeof(*create->topics));
    create->topics_count = 1;
    create->topics[0].name = span_text(name);
    create->topics[0].num_partitions = partitions;
    create->topics[0].replication_factor = replicas;
    return create;
}

const struct create_topics_response_topic *admin_create(struct admin *admin, int16_t version,
                                                        const struct create_topics_request *create)
{
    const struct create_topics_response *response =
        client_call(admin->client, API_CREATE_TOPICS, version, create);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics_count, create->topics_count);
    return response->topics;
}

int admin_make(struct admin *admin, const char *name, int32_t partitions)
{
    return admin_create(admin, CREATE_VERSION, admin_creation(admin, name, partitions, 1))
        ->error_code;
}
