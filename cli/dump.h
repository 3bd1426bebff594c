/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of "chronik dump" share: where to print, what was wrong, windows on files. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/codec.h"
#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/records/record.h"

/* What the records of a log are, by the name of its folder. */
enum dump_content { DUMP_CLIENTS, DUMP_OFFSETS, DUMP_METADATA };

struct dump {
    FILE *out;
    FILE *err;
    bool json;
    bool records;
    struct memory memory;
    struct arena arena; /* of one batch, or of one small file */
    struct codec_libraries libraries;
    struct codecs codecs;

    /* The file under way. */
    const char *path;
    int file;
    uint64_t size_bytes;
    bool failed; /* anything was wrong, in any file */
};

/* Says what is wrong at a position of the file under way. */
void dump_wrong(struct dump *dump, uint64_t position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Begins and ends a line of JSON, or a line of text after `indent` blanks; between them
 * dump_field()s. */
void dump_begin(struct dump *dump, const char *kind, int indent);
void dump_end(struct dump *dump);

/* One field: its name and a number, or a text (null: none). */
void dump_number(struct dump *dump, const char *name, int64_t value);
void dump_text(struct dump *dump, const char *name, struct span value);
void dump_flag(struct dump *dump, const char *name); /* true */
void dump_time(struct dump *dump, const char *name, int64_t time_ms);

/* Bytes: as a text where they are UTF-8, else "NAME_hex" with hexadecimal digits. */
void dump_bytes(struct dump *dump, const char *name, struct span value);

/* A name whose value the caller prints, as JSON either way. */
void dump_name(struct dump *dump, const char *name);

/* A part of the file under way, in memory. */
struct dump_window {
    uint64_t position;
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

/* Shows the file from `position`, at least `need` bytes of it unless it ends before. Returns 0; or
 * -1 after saying why not. */
int dump_show(struct dump *dump, struct dump_window *window, uint64_t position, size_t need);
void dump_window_free(struct dump_window *window);

/* The whole file, in the arena. Returns 0; or -1 after saying why not. */
int dump_read_all(struct dump *dump, struct span *ret_bytes);

/* A segment, or a snapshot of metadata, with the offset in its name. */
void dump_log(struct dump *dump, enum dump_content content, int64_t base_offset);

/* One record, decoded by what the log holds. */
void dump_record(struct dump *dump, enum dump_content content, const struct batch_info *info,
                 const struct record *record);

/* The other files. `log_path` is the segment beside an index. */
void dump_index(struct dump *dump, int64_t base_offset, const char *log_path);
void dump_time_index(struct dump *dump, int64_t base_offset);
void dump_producers(struct dump *dump);
void dump_epochs(struct dump *dump);
void dump_checkpoint(struct dump *dump);
void dump_partition_metadata(struct dump *dump);
void dump_identity(struct dump *dump);

#endif
