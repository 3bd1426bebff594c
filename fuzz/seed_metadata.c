/* SPDX-License-Identifier: Apache-2.0 */
/* seed_metadata FOLDER: writes seeds of fuzz_metadata, the files (fuzz/metadata_files.h) that a
 * broker with topics leaves behind: with and without a snapshot, with the beginning of the log
 * gone, and each file alone; and the records of a cluster that nodes come to and leave. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/broker_state.h"
#include "core/meta/record.h"
#include "core/meta/snapshot.h"
#include "core/meta/wal.h"
#include "fuzz/faults.h"
#include "tests/support/node.h"

#define KIND_RECORDS 0
#define KIND_FILES   4
#define HEAD_BYTES   5
#define LOG_FILE     WAL_LOG_NAME "/00000000000000000000.log"
#define TOPIC_FILE   WAL_LOG_NAME "/partition.metadata"

/* As in the table of fuzz/metadata_files.c. */
enum {
    NAME_IDENTITY,
    NAME_IDENTITY_PART,
    NAME_LOG,
    NAME_CHECKPOINT,
    NAME_PART,
    NAME_EPOCHS,
    NAME_TOPIC,
};

/* What is written of a broker. */
struct source {
    const char *folder; /* of the seeds */
    struct world *world;
    struct span snapshot;
    uint8_t offset; /* of the snapshot */
    uint8_t epoch;
};

static void seed_add(FILE *file, uint8_t name, uint8_t offset, uint8_t epoch, struct span bytes)
{
    uint8_t head[HEAD_BYTES] = {name, offset, epoch};
    CHECK(bytes.length <= UINT16_MAX);
    put_be16(head + 3, (uint16_t)bytes.length);
    CHECK(fwrite(head, sizeof(head), 1, file) == 1);
    CHECK(fwrite(bytes.data, 1, bytes.length, file) == bytes.length);
}

static FILE *file_open(const struct source *source, const char *name)
{
    char *path = NULL;
    CHECK(asprintf(&path, "%s/%s", source->folder, name) > 0);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    free(path);
    return file;
}

/* Begins a seed; with `fault`, something fails (fuzz/metadata_files.h). */
static FILE *seed_open(const struct source *source, const char *name, uint8_t fault)
{
    const uint8_t head[] = {KIND_FILES, fault, 0};
    FILE *file = file_open(source, name);
    CHECK(fwrite(head, sizeof(head), 1, file) == 1);
    return file;
}

/* The files beside the snapshots; the log is the broker's, or an empty one that starts later. */
static void seed_add_others(FILE *file, const struct source *source, uint8_t log_offset)
{
    seed_add(file, NAME_IDENTITY, 0, 0, world_file(source->world, "meta.properties"));
    seed_add(file, NAME_TOPIC, 0, 0, world_file(source->world, TOPIC_FILE));
    seed_add(file, NAME_LOG, log_offset, 0,
             log_offset == 0 ? world_file(source->world, LOG_FILE) : SPAN(""));
}

static void write_snapshots(const struct source *source)
{
    const struct span whole = source->snapshot;
    const struct span torn = span_of(whole.data, whole.length / 2);
    FILE *file = seed_open(source, "files-snapshot", 0);
    seed_add_others(file, source, 0);
    seed_add(file, NAME_CHECKPOINT, source->offset, source->epoch, whole);
    seed_add(file, NAME_PART, source->offset, source->epoch, whole);
    fclose(file);

    file = seed_open(source, "files-snapshot-torn", 0);
    seed_add_others(file, source, 0);
    seed_add(file, NAME_CHECKPOINT, source->offset, source->epoch, torn);
    seed_add(file, NAME_CHECKPOINT, source->offset + 1, source->epoch, SPAN(""));
    fclose(file);

    file = seed_open(source, "files-snapshot-fits", 0);
    seed_add_others(file, source, source->offset);
    seed_add(file, NAME_CHECKPOINT, source->offset, source->epoch, whole);
    fclose(file);

    file = seed_open(source, "files-snapshot-gap", 0);
    seed_add_others(file, source, source->offset + 9);
    seed_add(file, NAME_CHECKPOINT, source->offset, source->epoch, whole);
    fclose(file);
}

static void write_others(const struct source *source)
{
    FILE *file = seed_open(source, "files-without-identity", 0);
    seed_add(file, NAME_LOG, 0, 0, world_file(source->world, LOG_FILE));
    fclose(file);
    file = seed_open(source, "files-identity", 0);
    seed_add(file, NAME_IDENTITY, 0, 0, world_file(source->world, "meta.properties"));
    fclose(file);
    file = seed_open(source, "files-identity-part", 0);
    seed_add(file, NAME_IDENTITY_PART, 0, 0, world_file(source->world, "meta.properties"));
    fclose(file);
}

/* Something fails in an empty folder, and in one with all files. */
static void write_faults(const struct source *source)
{
    for (uint8_t fault = 0; fault <= FAULTS; fault++) {
        char name[32];
        snprintf(name, sizeof(name), "files-none-fault-%02u", fault);
        fclose(seed_open(source, name, fault));
        snprintf(name, sizeof(name), "files-all-fault-%02u", fault);
        FILE *file = seed_open(source, name, fault);
        seed_add_others(file, source, 0);
        seed_add(file, NAME_CHECKPOINT, source->offset, source->epoch, source->snapshot);
        fclose(file);
    }
}

/* Records one behind the other, each behind its length. */
struct records {
    FILE *file;
    struct arena arena;
};

static void put(struct records *records, const struct meta_record *record)
{
    uint8_t head[2];
    const struct span frame = meta_record_encode(record, &records->arena);
    CHECK(!span_is_null(frame) && frame.length <= UINT16_MAX);
    put_be16(head, (uint16_t)frame.length);
    CHECK(fwrite(head, sizeof(head), 1, records->file) == 1);
    CHECK(fwrite(frame.data, frame.length, 1, records->file) == 1);
}

/* A process of the broker, with one folder. */
static void put_broker(struct records *records, int32_t id, int64_t epoch, uint8_t folder)
{
    struct register_broker_record_end_point listener = {
        .name = SPAN("PLAINTEXT"), .host = SPAN("host"), .port = 9092};
    struct uuid directory = {{folder}};
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = id;
    record.body.register_broker.broker_epoch = epoch;
    record.body.register_broker.incarnation_id = (struct uuid){{(uint8_t)epoch}};
    record.body.register_broker.end_points = &listener;
    record.body.register_broker.end_points_count = 1;
    record.body.register_broker.log_dirs = &directory;
    record.body.register_broker.log_dirs_count = 1;
    put(records, &record);
}

static void put_fencing(struct records *records, int32_t id, int64_t epoch, int8_t fenced,
                        int8_t shuts_down)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = id;
    record.body.registration_change.broker_epoch = epoch;
    record.body.registration_change.fenced = fenced;
    record.body.registration_change.in_controlled_shutdown = shuts_down;
    put(records, &record);
}

static void put_unregistered(struct records *records, int32_t id, int64_t epoch)
{
    struct meta_record record = meta_record_of(META_RECORD_UNREGISTER_BROKER);
    record.body.unregister_broker.broker_id = id;
    record.body.unregister_broker.broker_epoch = epoch;
    put(records, &record);
}

static void put_topic(struct records *records, struct uuid id)
{
    int32_t replicas[] = {1, 2, 3};
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = SPAN("topic");
    record.body.topic.topic_id = id;
    put(records, &record);
    record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition.partition_id = 0;
    record.body.partition.topic_id = id;
    record.body.partition.replicas = record.body.partition.isr = replicas;
    record.body.partition.replicas_count = record.body.partition.isr_count = 3;
    record.body.partition.leader = 1;
    record.body.partition.leader_epoch = record.body.partition.partition_epoch = 0;
    put(records, &record);
}

static void put_config(struct records *records, struct span of, struct span key, struct span value)
{
    const bool is_of_topic = span_equal(of, SPAN("topic"));
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = is_of_topic ? META_RESOURCE_TOPIC : META_RESOURCE_BROKER;
    record.body.config.resource_name = of;
    record.body.config.name = key;
    record.body.config.value = value;
    put(records, &record);
}

/* What is set for all brokers, by their files and by an operator, and for a topic. */
static void put_configs(struct records *records)
{
    const struct span least = SPAN("min.insync.replicas");
    put_config(records, META_BROKERS_BY_FILE, least, SPAN("2"));
    put_config(records, META_BROKERS_BY_FILE, SPAN("broker.session.timeout.ms"), SPAN("9000"));
    put_config(records, META_BROKERS_BY_OPERATOR, least, SPAN("3"));
    put_config(records, SPAN("topic"), least, SPAN("1"));
    put_config(records, SPAN("topic"), least, SPAN_NULL);
    put_config(records, META_BROKERS_BY_OPERATOR, least, SPAN_NULL);
    put_config(records, SPAN("topic"), SPAN("unclean.leader.election.enable"), SPAN("true"));
    put_config(records, SPAN("1"), least, SPAN("3"));
}

/* A leader by an operator's word, and the last that is known of one that has none. */
static void put_election(struct records *records, struct uuid id)
{
    int32_t isr = 3;
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    record.body.partition_change.partition_id = 0;
    record.body.partition_change.topic_id = id;
    record.body.partition_change.leader = isr;
    record.body.partition_change.isr = &isr;
    record.body.partition_change.isr_count = 1;
    record.body.partition_change.leader_recovery_state = 1;
    put(records, &record);
    record.body.partition_change.leader = META_NO_LEADER;
    record.body.partition_change.isr_count = 0;
    record.body.partition_change.eligible_leader_replicas = &isr;
    record.body.partition_change.eligible_leader_replicas_count = 0;
    record.body.partition_change.last_known_elr = &isr;
    record.body.partition_change.last_known_elr_count = 1;
    put(records, &record);
}

/* Three brokers come, fall away in every way there is, and are forgotten. */
static void write_cluster(const struct source *source, struct memory *memory)
{
    const struct uuid id = {{7}};
    struct records records = {.file = file_open(source, "records-cluster")};
    arena_init(&records.arena, memory, MEMORY_REQUEST, UINT16_MAX);
    CHECK(fputc(KIND_RECORDS, records.file) == KIND_RECORDS);
    for (int32_t broker = 1; broker <= 3; broker++) {
        put_broker(&records, broker, broker, (uint8_t)broker);
        put_fencing(&records, broker, broker, -1, 0);
    }
    put_topic(&records, id);
    put_configs(&records);
    put_fencing(&records, 1, 1, 0, 1);
    put_fencing(&records, 1, 1, 1, 0);
    put_broker(&records, 2, 9, 2);
    put_fencing(&records, 2, 2, -1, 0); /* a process that is no more */
    put_fencing(&records, 2, 9, -1, 0);
    put_broker(&records, 2, 10, 99); /* its folder is another one */
    put_election(&records, id);
    put_unregistered(&records, 1, 2);
    put_unregistered(&records, 1, 1);
    put_fencing(&records, 1, 1, -1, 0);
    fclose(records.file);
    arena_reset(&records.arena);
}

int main(int argc, char **argv)
{
    struct node node;
    uint32_t length;
    uint32_t capacity;
    if (argc != 2) {
        fputs("usage: seed_metadata FOLDER\n", stderr);
        return 2;
    }
    node_init(&node, 1, NULL);
    CHECK(node_start(&node));
    node_create_topic(&node, SPAN("one"), 1);
    node_create_topic(&node, SPAN("two"), 2);
    node_kill(&node);
    CHECK(node_start(&node));
    const struct image *image = &node.broker->image;
    uint8_t *block = snapshot_save(image, SPAN_NULL, 0, &length, &capacity);
    const struct source source = {.folder = argv[1],
                                  .world = node.world,
                                  .snapshot = span_of(block, length),
                                  .offset = (uint8_t)image->end_offset,
                                  .epoch = (uint8_t)image->epoch};
    write_snapshots(&source);
    write_others(&source);
    write_faults(&source);
    write_cluster(&source, image->memory);
    memory_give(image->memory, MEMORY_STATE, block, capacity);
    node_free(&node);
    return 0;
}
