/* SPDX-License-Identifier: Apache-2.0 */
/* chronik dump: shows the files of data folders as text or JSON, and says what is wrong in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/cmd.h"
#include "cli/dump.h"
#include "cli/options.h"
#include "core/base/format.h"
#include "core/meta/identity.h"
#include "core/meta/snapshot.h"

/* A data folder, its partitions, their files. */
#define DEPTH_MAX 2

/* What a batch may need in all, when it is decompressed and decoded. */
#define ARENA_BYTES_MAX ((size_t)2 << 30)

enum option_place { OPTION_JSON, OPTION_RECORDS };

static const struct option options_of_dump[] = {
    [OPTION_JSON] = {"json", NULL, "A line of JSON for each batch, record, entry and error."},
    [OPTION_RECORDS] = {"records", NULL,
                        "The records in the batches too, decompressed; those of\n"
                        "__consumer_offsets and __cluster_metadata decoded."},
    {NULL, NULL, NULL},
};

enum file_kind {
    FILE_LOG,
    FILE_METADATA_SNAPSHOT,
    FILE_INDEX,
    FILE_TIME_INDEX,
    FILE_PRODUCERS,
    FILE_EPOCHS,
    FILE_CHECKPOINT,
    FILE_PARTITION_METADATA,
    FILE_IDENTITY,
    FILE_UNKNOWN,
};

/* True for twenty digits and `suffix`; gives the offset that they are. */
static bool is_offset_name(const char *name, const char *suffix, int64_t *ret_offset)
{
    const size_t digits = 20;
    return strlen(name) == digits + strlen(suffix) && strcmp(name + digits, suffix) == 0 &&
           strspn(name, "0123456789") >= digits &&
           parse_int64(span_of(name, digits), ret_offset) == 0;
}

static enum file_kind kind_of(const char *name, int64_t *ret_offset)
{
    static const struct {
        const char *name;
        enum file_kind kind;
        bool is_suffix; /* behind an offset */
    } names[] = {
        {".log", FILE_LOG, true},
        {".index", FILE_INDEX, true},
        {".timeindex", FILE_TIME_INDEX, true},
        {".snapshot", FILE_PRODUCERS, true},
        {"leader-epoch-checkpoint", FILE_EPOCHS, false},
        {"recovery-point-offset-checkpoint", FILE_CHECKPOINT, false},
        {"log-start-offset-checkpoint", FILE_CHECKPOINT, false},
        {"replication-offset-checkpoint", FILE_CHECKPOINT, false},
        {"cleaner-offset-checkpoint", FILE_CHECKPOINT, false},
        {"partition.metadata", FILE_PARTITION_METADATA, false},
        {IDENTITY_FILE, FILE_IDENTITY, false},
    };
    struct snapshot_id snapshot;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].is_suffix ? is_offset_name(name, names[i].name, ret_offset)
                               : strcmp(name, names[i].name) == 0)
            return names[i].kind;
    }
    *ret_offset = 0;
    return snapshot_parse_name(span_text(name), &snapshot) ? FILE_METADATA_SNAPSHOT : FILE_UNKNOWN;
}

/* What a log's records are, by the folder that its file lies in. */
static enum dump_content content_of(const char *path)
{
    char whole[PATH_MAX];
    if (realpath(path, whole) == NULL)
        return DUMP_CLIENTS;
    char *file = strrchr(whole, '/');
    if (file == NULL)
        return DUMP_CLIENTS;
    *file = '\0';
    const char *folder = strrchr(whole, '/');
    folder = folder == NULL ? whole : folder + 1;
    if (strncmp(folder, "__consumer_offsets-", strlen("__consumer_offsets-")) == 0)
        return DUMP_OFFSETS;
    return strcmp(folder, "__cluster_metadata-0") == 0 ? DUMP_METADATA : DUMP_CLIENTS;
}

/* The segment beside an index of the same name. */
static void dump_index_with_log(struct dump *dump, int64_t base_offset)
{
    char path[PATH_MAX];
    const size_t length = strlen(dump->path) - strlen(".index");
    if (length + sizeof(".log") > sizeof(path)) {
        dump_wrong(dump, 0, "%s", strerror(ENAMETOOLONG));
        return;
    }
    snprintf(path, sizeof(path), "%.*s.log", (int)length, dump->path);
    dump_index(dump, base_offset, path);
}

static void dump_by_kind(struct dump *dump, enum file_kind kind, int64_t offset)
{
    switch (kind) {
    case FILE_LOG:
        dump_log(dump, content_of(dump->path), offset);
        break;
    case FILE_METADATA_SNAPSHOT:
        dump_log(dump, DUMP_METADATA, 0);
        break;
    case FILE_INDEX:
        dump_index_with_log(dump, offset);
        break;
    case FILE_TIME_INDEX:
        dump_time_index(dump, offset);
        break;
    case FILE_PRODUCERS:
        dump_producers(dump);
        break;
    case FILE_EPOCHS:
        dump_epochs(dump);
        break;
    case FILE_CHECKPOINT:
        dump_checkpoint(dump);
        break;
    case FILE_PARTITION_METADATA:
        dump_partition_metadata(dump);
        break;
    case FILE_IDENTITY:
        dump_identity(dump);
        break;
    case FILE_UNKNOWN:
        break;
    }
}

static void complain(struct dump *dump, const char *path, const char *why)
{
    dump->failed = true;
    fprintf(dump->err, "chronik dump: %s: %s\n", path, why);
}

/* A file cannot be opened, by errno. A broker that runs removes files that its folder had when it
 * was listed; one that was asked for has to be there. */
static void complain_of_errno(struct dump *dump, const char *path, bool asked)
{
    if (asked || errno != ENOENT)
        complain(dump, path, strerror(errno));
}

static void dump_file(struct dump *dump, const char *path, enum file_kind kind, int64_t offset,
                      bool asked)
{
    struct stat status;
    dump->path = path;
    /* A pipe must not stop us before we see that it is one. */
    dump->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (dump->file < 0 || fstat(dump->file, &status) != 0) {
        complain_of_errno(dump, path, asked);
    } else if (!S_ISREG(status.st_mode)) {
        complain(dump, path, "not a regular file");
    } else {
        dump->size_bytes = (uint64_t)status.st_size;
        if (!dump->json)
            fprintf(dump->out, "%s\n", path);
        dump_by_kind(dump, kind, offset);
    }
    arena_reset(&dump->arena);
    if (dump->file >= 0)
        close(dump->file);
}

static void dump_folder(struct dump *dump, const char *path, bool asked, int depth);

/* `name` is the last part of `path`; `asked` when the path was named on the command line. */
static void dump_path(struct dump *dump, const char *path, const char *name, bool asked, int depth)
{
    struct stat status;
    int64_t offset = 0;
    const enum file_kind kind = kind_of(name, &offset);
    if (stat(path, &status) != 0)
        complain_of_errno(dump, path, asked);
    else if (S_ISDIR(status.st_mode) && depth <= DEPTH_MAX)
        dump_folder(dump, path, asked, depth);
    else if (kind != FILE_UNKNOWN)
        dump_file(dump, path, kind, offset, asked);
    else if (asked)
        complain(
            dump, path,
            "by its name this is none of the files of a data folder: OFFSET.log, OFFSET.index, "
            "OFFSET.timeindex, OFFSET.snapshot, OFFSET-EPOCH.checkpoint, "
            "leader-epoch-checkpoint, partition.metadata, ...");
}

static void dump_folder(struct dump *dump, const char *path, bool asked, int depth)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        complain_of_errno(dump, path, asked);
        return;
    }
    for (int i = 0; i < count; i++) {
        char inner[PATH_MAX];
        const char *name = entries[i]->d_name;
        const size_t length = strlen(path);
        const char *slash = length > 0 && path[length - 1] == '/' ? "" : "/";
        if (name[0] == '.')
            continue;
        if (snprintf(inner, sizeof(inner), "%s%s%s", path, slash, name) >= (int)sizeof(inner))
            complain(dump, path, strerror(ENAMETOOLONG));
        else
            dump_path(dump, inner, name, false, depth + 1);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* Reads the options. Returns how many paths there are, or -1 with the exit code. */
static int read_options(const struct cmd *cmd, int argc, char **argv, struct dump *dump,
                        int *ret_code)
{
    struct options options;
    const char *value = NULL;
    int paths = 0;
    options_start(&options, cmd, argc, argv);
    for (int place; (place = options_next(&options, &value)) != OPTIONS_END;) {
        if (place == OPTIONS_EXIT) {
            *ret_code = options.exit_code;
            return -1;
        }
        dump->json = dump->json || place == OPTION_JSON;
        dump->records = dump->records || place == OPTION_RECORDS;
        paths += place == OPTIONS_ARGUMENT;
    }
    return paths;
}

static int run_dump(const struct cmd *cmd, int argc, char **argv)
{
    struct dump dump = {.out = stdout, .err = stderr};
    struct options options;
    const char *path = NULL;
    int code = EXIT_CODE_USAGE;
    const int paths = read_options(cmd, argc, argv, &dump, &code);
    if (paths < 0)
        return code;
    if (paths == 0)
        return options_mistake(cmd, "name a file of a data folder, or the folder");
    memory_init(&dump.memory, allocator_process());
    arena_init(&dump.arena, &dump.memory, MEMORY_READ, ARENA_BYTES_MAX);
    codec_libraries_init(&dump.libraries);
    dump.codecs = codec_libraries_lend(&dump.libraries);
    options_start(&options, cmd, argc, argv);
    for (int place; (place = options_next(&options, &path)) != OPTIONS_END;) {
        const char *slash = place == OPTIONS_ARGUMENT ? strrchr(path, '/') : NULL;
        if (place == OPTIONS_ARGUMENT)
            dump_path(&dump, path, slash == NULL ? path : slash + 1, true, 0);
    }
    codec_libraries_close(&dump.libraries);
    arena_reset(&dump.arena);
    return dump.failed ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
}

const struct cmd cmd_dump = {
    .program = "chronik",
    .name = "dump",
    .arguments = "[--records] [--json] FILE|FOLDER...",
    .summary = "show and check the files of a data folder",
    .help =
        "Shows segments, their indexes, snapshots and checkpoints, Kafka's as well as our own,\n"
        "and checks them: checksums, order of offsets, where indexes point. What is wrong is\n"
        "said with the file and the position, and makes the exit status 1. A segment is shown\n"
        "up to its first damage. Nothing is ever written. In a folder the files are taken by\n"
        "their names, and those of its partitions too.",
    .examples = "chronik dump chronik-data\n"
                "    Is anything damaged, and what is there?\n"
                "chronik dump --records chronik-data/orders-0/00000000000000000000.log\n"
                "    The records of a segment.\n"
                "chronik dump --records --json chronik-data/__cluster_metadata-0 | jq .value\n"
                "    What the metadata log says.",
    .options = options_of_dump,
    .run = run_dump,
};
