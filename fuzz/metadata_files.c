/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/metadata_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/broker_state.h"
#include "core/meta/wal.h"
#include "fuzz/faults.h"
#include "fuzz/mend.h"
#include "tests/support/node.h"

#define FILES_MAX      16
#define FILE_BYTES_MAX 65536
#define FAULT_BYTES    2
#define HEAD_BYTES     5
#define AGAIN_MS       5000

/* Set in the byte of a name: checksums stay as they come. */
#define AS_IT_COMES 0x80

/* The offset and the epoch are in the names of some. */
static const struct {
    const char *folder; /* NULL: the data folder itself */
    const char *name;
} names[] = {
    {NULL, "meta.properties"},
    {NULL, "meta.properties.part"},
    {WAL_LOG_NAME, "%020d.log"},
    {WAL_LOG_NAME, "%020d-%010d.checkpoint"},
    {WAL_LOG_NAME, "%020d-%010d.checkpoint.part"},
    {WAL_LOG_NAME, "leader-epoch-checkpoint"},
    {WAL_LOG_NAME, "partition.metadata"},
    {WAL_LOG_NAME, "%020d.index"},
    {NULL, "recovery-point-offset-checkpoint"},
    {NULL, "log-start-offset-checkpoint"},
    {NULL, ".kafka_cleanshutdown"},
    {"topic-0", "partition.metadata"},
    {"topic-0", "%020d.log"},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void file_put(struct world *world, const uint8_t *head, uint8_t *bytes, size_t length)
{
    char path[128];
    size_t at = 0;
    const size_t name = (head[0] & ~AS_IT_COMES) % NAMES;
    if (names[name].folder != NULL) {
        world_put_folder(world, names[name].folder);
        at = (size_t)snprintf(path, sizeof(path), "%s/", names[name].folder);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(path + at, sizeof(path) - at, names[name].name, head[1], head[2]);
#pragma GCC diagnostic pop
    if ((head[0] & AS_IT_COMES) == 0)
        mend_batches(bytes, length);
    world_put_file(world, path, span_of(bytes, length));
}

static void files_put(struct world *world, struct span files)
{
    static uint8_t copy[FILE_BYTES_MAX];
    for (int i = 0; i < FILES_MAX && files.length >= HEAD_BYTES; i++) {
        const uint8_t *head = files.data;
        size_t length = get_be16(head + 3);
        if (length > files.length - HEAD_BYTES)
            length = files.length - HEAD_BYTES;
        memcpy(copy, head + HEAD_BYTES, length);
        file_put(world, head, copy, length);
        files = span_of(head + HEAD_BYTES + length, files.length - HEAD_BYTES - length);
    }
}

/* What a start leaves as it was: topics, and how many partitions they have. */
static uint64_t topics_digest(const struct image *image)
{
    uint64_t digest = 0;
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        digest = digest * 31 + (uint64_t)topic->partitions_count;
        for (size_t i = 0; i < sizeof(topic->id.bytes); i++)
            digest = digest * 31 + topic->id.bytes[i];
        for (size_t i = 0; i < topic->name.length; i++)
            digest = digest * 31 + topic->name.data[i];
    }
    return digest;
}

/* A process that serves, or has ended. What found no room is tried again a little later. */
static bool start(struct node *node)
{
    if (!node_start(node) && !world_is_stopped(node->world))
        world_advance_ms(node->world, AGAIN_MS);
    return world_is_ready(node->world) && !world_is_stopped(node->world);
}

/* The next process, with the same topics. The fault that was chosen may come only now, and end it:
 * then it is the one after that. */
static void start_again(struct node *node, uint64_t digest)
{
    if (!start(node)) {
        CHECK(world_is_stopped(node->world));
        node_kill(node);
        CHECK(start(node));
    }
    CHECK(topics_digest(&node->broker->image) == digest);
}

void metadata_files_run(struct span files, bool two_folders)
{
    static const char *const two[] = {"log.dirs", "/a,/b", NULL};
    struct node node;
    if (files.length < FAULT_BYTES)
        return;
    node_init(&node, 1, two_folders ? two : NULL);
    if (files.data[0] > 0)
        fault_add(node.world, files.data[0] - 1, files.data[1]);
    files_put(node.world, span_of(files.data + FAULT_BYTES, files.length - FAULT_BYTES));
    if (start(&node)) {
        const uint64_t digest = topics_digest(&node.broker->image);
        node_kill(&node);
        start_again(&node, digest);
        node_stop(&node);
        start_again(&node, digest);
    } else {
        CHECK(world_is_stopped(node.world));
    }
    node_free(&node);
}
