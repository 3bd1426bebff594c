/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a flight record (core/trace/record.h): what the core was made with. */
#ifndef CORE_TRACE_HEADER_H
#define CORE_TRACE_HEADER_H

#include "core/conf/conf.h"

#define TRACE_RECORD_MAGIC       "chronikR"
#define TRACE_RECORD_MAGIC_BYTES (sizeof(TRACE_RECORD_MAGIC) - 1)
#define TRACE_RECORD_VERSION     1

struct trace_header {
    struct span program; /* the version of chronik that wrote it */
    struct span host_name;
    struct span settings; /* for trace_header_conf() */
};

/* The bytes that a header takes. */
size_t trace_header_size(struct span program, const struct conf *conf);

/* Writes it to `room` of so many bytes: magic, version, checksum, and every setting that has a
 * value, where it comes from, as `conf` was when it had been checked. */
void trace_header_write(uint8_t *room, struct span program, const struct conf *conf);

/* Takes a header off the front of a file's bytes; spans point there. Returns NULL; or what is wrong
 * with the file. */
const char *trace_header_read(struct span *file, struct trace_header *ret_header);

/* Gives `conf`, which has all keys at their defaults, the settings that the core had. Findings go
 * to its report. Returns 0; or -1 when something was refused there, or the settings are malformed,
 * in which case nothing need have been reported. */
int trace_header_conf(const struct trace_header *header, struct conf *conf);

#endif
