/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/checkpoint.h"

#include <inttypes.h>
#include <stdbool.h>

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/uuid.h"
#include "core/wire/error.h"

#define CHECKPOINT_VERSION 0

/* The shortest entry: "t 0 0" and a line feed. */
#define ENTRY_BYTES_MIN 6

/* Topics' names are at most so long. */
#define NAME_LENGTH_MAX 249

#define METADATA_HEAD SPAN("version: 0\ntopic_id: ")

void checkpoint_write_head(struct text_writer *writer, uint8_t *out, size_t capacity,
                           uint64_t count)
{
    *writer = (struct text_writer){.out = out, .capacity = capacity};
    text_write(writer, "%d\n%" PRIu64 "\n", CHECKPOINT_VERSION, count);
}

void checkpoint_write_entry(struct text_writer *writer, struct span topic, int32_t partition,
                            int64_t offset)
{
    text_write(writer, "%.*s %" PRId32 " %" PRId64 "\n", SPAN_ARGS(topic), partition, offset);
}

/* Names that a folder can have; those of topics are among them. */
static bool is_name(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f || text.data[i] == '/')
            return false;
    return text.length <= NAME_LENGTH_MAX;
}

static int read_entry(struct span *text, struct checkpoint_entry *ret_entry)
{
    struct span line;
    struct span topic;
    int64_t partition;
    int64_t offset;

    if (line_take(text, &line) != 0 || word_take(&line, &topic) != 0 || !is_name(topic) ||
        number_take(&line, 0, INT32_MAX, &partition) != 0 ||
        number_take(&line, 0, INT64_MAX, &offset) != 0 || !span_is_null(line))
        return ERR_MALFORMED;
    *ret_entry = (struct checkpoint_entry){topic, (int32_t)partition, offset};
    return ERR_NONE;
}

int checkpoint_read(struct span text, struct arena *arena, struct checkpoint_entry **ret_entries,
                    uint32_t *ret_count)
{
    int64_t version;
    int64_t count;

    if (line_take_number(&text, CHECKPOINT_VERSION, CHECKPOINT_VERSION, &version) != 0 ||
        line_take_number(&text, 0, UINT32_MAX, &count) != 0 ||
        (uint64_t)count > text.length / ENTRY_BYTES_MIN)
        return ERR_MALFORMED;
    struct checkpoint_entry *entries = arena_array(arena, (size_t)count, sizeof(*entries));
    if (entries == NULL)
        return ERR_ARENA_FULL;
    for (int64_t i = 0; i < count; i++) {
        const int error = read_entry(&text, &entries[i]);
        if (error != ERR_NONE)
            return error;
    }
    if (text.length != 0)
        return ERR_MALFORMED;
    *ret_entries = entries;
    *ret_count = (uint32_t)count;
    return ERR_NONE;
}

void partition_metadata_write(struct uuid topic_id, uint8_t out[PARTITION_METADATA_BYTES])
{
    const struct uuid_text text = uuid_text(topic_id);

    _Static_assert(PARTITION_METADATA_BYTES ==
                       sizeof("version: 0\ntopic_id: \n") - 1 + UUID_TEXT_LENGTH,
                   "the file is its two lines");
    memcpy(out, METADATA_HEAD.data, METADATA_HEAD.length);
    memcpy(out + METADATA_HEAD.length, text.text, UUID_TEXT_LENGTH);
    out[PARTITION_METADATA_BYTES - 1] = '\n';
}

int partition_metadata_read(struct span text, struct uuid *ret_topic_id)
{
    /* Kafka ends its own file without a line feed. */
    if (text.length == PARTITION_METADATA_BYTES && text.data[text.length - 1] == '\n')
        text.length--;
    if (text.length != PARTITION_METADATA_BYTES - 1 ||
        !span_equal(span_of(text.data, METADATA_HEAD.length), METADATA_HEAD))
        return ERR_MALFORMED;
    if (uuid_parse(span_of(text.data + METADATA_HEAD.length, UUID_TEXT_LENGTH), ret_topic_id) != 0)
        return ERR_MALFORMED;
    return ERR_NONE;
}
