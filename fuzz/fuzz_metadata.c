/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata WAL from arbitrary bytes. The first byte says what the others are: framed records
 * one behind the other, a batch whose checksum is put right, a snapshot, a meta.properties file, or
 * the files on which a broker starts. Whatever is refused changes nothing, and every image comes
 * back from its own snapshot.
 */
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/meta/identity.h"
#include "core/meta/image.h"
#include "core/meta/snapshot_load.h"
#include "core/meta/snapshot_store.h"
#include "core/records/batch.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"
#include "fuzz/metadata_files.h"
#include "tests/support/world.h"

#define KINDS           8
#define LENGTH_BYTES    2
#define ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)

static void *take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void check_members(const struct meta_partition *partition, const int32_t *list,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(meta_is_member(meta_replicas(partition), partition->replicas_count, list[i]));
        CHECK(!meta_is_member(list, i, list[i]));
    }
}

static void check_partition(const struct meta_partition *partition)
{
    const int32_t *isr = meta_isr(partition);
    const int32_t *elr = meta_elr(partition);
    CHECK(partition->replicas_count > 0);
    CHECK(partition->leader_epoch >= 0 && partition->partition_epoch >= 0);
    check_members(partition, isr, partition->isr_count);
    check_members(partition, elr, partition->elr_count);
    for (uint32_t i = 0; i < partition->elr_count; i++)
        CHECK(!meta_is_member(isr, partition->isr_count, elr[i]));
    if (partition->leader == META_NO_LEADER)
        CHECK(partition->isr_count == 0);
    else
        CHECK(meta_is_member(isr, partition->isr_count, partition->leader));
    const int32_t last_known = meta_last_known_leader(partition);
    if (last_known != META_NO_LEADER) {
        CHECK(partition->isr_count == 0 && partition->elr_count == 0);
        check_members(partition, &last_known, 1);
    }
}

static void check_image(const struct image *image)
{
    int32_t partitions = 0;
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        CHECK(image_topic(image, topic->name) == topic);
        CHECK(image_topic_by_id(image, topic->id) == topic);
        partitions += topic->partitions_count;
        for (int32_t i = 0; i < topic->partitions_count; i++)
            check_partition(image_partition(topic, i));
        for (uint32_t i = 1; i < topic->configs.count; i++)
            CHECK(span_compare(topic->configs.items[i - 1].key, topic->configs.items[i].key) < 0);
    }
    CHECK(partitions == image->partitions_count);
}

static void stored(struct snapshot_store *store, int error)
{
    CHECK(error == ERR_NONE && !store->is_busy);
}

static void loaded(struct snapshot_load *load, int error)
{
    CHECK(error == ERR_NONE && load->ids.count == SNAPSHOTS_KEPT);
}

/* The image comes back from the newest of some files, of which the older ones go. */
static void check_file(struct image *image, struct io *io, struct world *world)
{
    struct image back;
    struct snapshot_store store = {.io = io, .path = SPAN("metadata"), .done = stored};
    struct snapshot_load load = {.io = io, .path = store.path, .image = &back, .done = loaded};
    world_put_folder(world, "metadata");
    for (uint32_t i = 0; i <= SNAPSHOTS_KEPT; i++) {
        image->end_offset++;
        snapshot_store_start(&store, image, SPAN_NULL);
        world_run(world);
    }
    CHECK(snapshot_store_log_start(&store) == image->end_offset + 1 - SNAPSHOTS_KEPT);
    image_init(&back, io->memory, 3);
    snapshot_load_start(&load);
    world_run(world);
    CHECK(load.bytes == store.bytes && load.bytes > 0);
    CHECK(image_digest(&back) == image_digest(image));
    snapshot_store_free(&store);
    snapshot_load_free(&load);
}

/* An image comes back from its own snapshot, and that is whole. */
static void check_snapshot(struct image *image)
{
    struct image back;
    uint32_t length;
    uint32_t capacity;
    uint64_t position;
    struct world *world = world_new(1);
    struct io *io = world_boot_io(world);
    const struct snapshot_id id = {.offset = 42, .epoch = image->epoch};
    uint8_t *block = snapshot_save(image, SPAN_NULL, 0, &length, &capacity);
    image_init(&back, io->memory, 2);
    CHECK(snapshot_is_whole(span_of(block, length), id));
    CHECK(snapshot_restore(span_of(block, length), id, &back, &position) == ERR_NONE);
    CHECK(image_digest(&back) == image_digest(image));
    check_file(&back, io, world);
    memory_give(image->memory, MEMORY_STATE, block, capacity);
    world_free(world);
}

static void run_records(struct image *image, struct arena *arena, struct span data)
{
    while (data.length >= LENGTH_BYTES) {
        size_t length = get_be16(data.data);
        if (length > data.length - LENGTH_BYTES)
            length = data.length - LENGTH_BYTES;
        struct meta_record record;
        const struct span frame = span_of(data.data + LENGTH_BYTES, length);
        if (meta_record_decode(frame, arena, &record) == ERR_NONE) {
            const uint64_t before = image_digest(image);
            if (image_apply(image, &record) != ERR_NONE)
                CHECK(image_digest(image) == before);
        }
        arena_reset(arena);
        data = span_of(frame.data + length, data.length - LENGTH_BYTES - length);
    }
}

/* The bytes as one batch: checksum, length and place are made right, the rest is as it comes. */
static void run_batch(struct image *image, struct arena *arena, struct span data)
{
    if (data.length < BATCH_HEADER_BYTES)
        return;
    struct span batch;
    int64_t offset;
    uint8_t *bytes = malloc(data.length);
    CHECK(bytes != NULL);
    memcpy(bytes, data.data, data.length);
    put_be32(bytes + BATCH_AT_LENGTH, (uint32_t)(data.length - BATCH_PREFIX_BYTES));
    bytes[BATCH_AT_MAGIC] = BATCH_MAGIC;
    if (bytes[0] % 8 != 7)
        put_be64(bytes, 0);
    put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, data.length));
    if (batch_next(span_of(bytes, data.length), data.length, BATCH_CHECK_CRC, &batch, NULL) ==
        BATCH_FOUND)
        (void)image_apply_batch(image, batch, arena, &offset);
    arena_reset(arena);
    free(bytes);
}

static void run_snapshot(struct image *image, struct span data)
{
    uint64_t position = 0;
    const struct snapshot_id id = {.offset = 7, .epoch = 0};
    if (!snapshot_is_whole(data, id))
        return;
    if (snapshot_restore(data, id, image, &position) != ERR_NONE)
        CHECK(position < data.length);
    else
        CHECK(image->end_offset == id.offset);
}

static void run_identity(struct span data)
{
    struct identity identity;
    struct identity again;
    const char *why = NULL;
    char text[IDENTITY_BYTES_MAX];
    if (identity_parse(data, &identity, &why) != ERR_NONE) {
        CHECK(why != NULL);
        return;
    }
    const size_t length = identity_print(&identity, text, sizeof(text));
    CHECK(length < sizeof(text));
    CHECK(identity_parse(span_of(text, length), &again, &why) == ERR_NONE);
    CHECK(again.node_id == identity.node_id &&
          uuid_equal(again.directory_id, identity.directory_id));
    CHECK(span_equal(span_text(again.cluster_id), span_text(identity.cluster_id)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory;
    struct image image;
    struct arena arena;
    if (size == 0)
        return 0;
    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    image_init(&image, &memory, 1);
    image.epoch = 0; /* as in a batch, which records have to come in */
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    const struct span rest = span_of(data + 1, size - 1);
    switch (data[0] % KINDS) {
    case 0:
        run_records(&image, &arena, rest);
        break;
    case 1:
        run_batch(&image, &arena, rest);
        break;
    case 2:
        run_snapshot(&image, rest);
        break;
    case 3:
        run_identity(rest);
        break;
    default:
        metadata_files_run(rest, data[0] % KINDS == KINDS - 1);
        break;
    }
    check_image(&image);
    if (image.brokers_count > 0 || image.partitions_count > 0)
        check_snapshot(&image);
    image_free(&image);
    CHECK(memory.used_bytes[MEMORY_STATE] == 0);
    return 0;
}
