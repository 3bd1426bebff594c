/* SPDX-License-Identifier: Apache-2.0 */
/* seed_metadata FOLDER: writes seeds of fuzz_metadata, the files (fuzz/metadata_files.h) that a
 * broker with topics leaves behind: with and without a snapshot, with the beginning of the log
 * gone, and each file alone. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/broker_state.h"
#include "core/meta/snapshot.h"
#include "core/meta/wal.h"
#include "fuzz/faults.h"
#include "tests/support/node.h"

#define KIND_FILES 4
#define HEAD_BYTES 5
#define LOG_FILE   WAL_LOG_NAME "/00000000000000000000.log"
#define TOPIC_FILE WAL_LOG_NAME "/partition.metadata"

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

/* Begins a seed; with `fault`, something fails (fuzz/metadata_files.h). */
static FILE *seed_open(const struct source *source, const char *name, uint8_t fault)
{
    const uint8_t head[] = {KIND_FILES, fault, 0};
    char *path = NULL;
    CHECK(asprintf(&path, "%s/%s", source->folder, name) > 0);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    free(path);
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
    memory_give(image->memory, MEMORY_STATE, block, capacity);
    node_free(&node);
    return 0;
}
