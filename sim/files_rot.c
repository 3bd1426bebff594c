/* SPDX-License-Identifier: Apache-2.0 */
/* Bits that flip at rest. */
#include <string.h>

#include "core/records/batch.h"
#include "sim/chance.h"
#include "sim/file_node.h"
#include "sim/files.h"

/* Files that may rot, and whether what they say can be made anew of others. */
static const struct rotting {
    const char *end;
    bool is_derived;
} rottings[] = {{".log", false}, {".index", true}, {".timeindex", true}, {".snapshot", false}};

static const struct rotting *rotting_of(const char *name)
{
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end != NULL && i < sizeof(rottings) / sizeof(rottings[0]); i++) {
        if (strcmp(end, rottings[i].end) == 0)
            return &rottings[i];
    }
    return NULL;
}

/* How much of a file bits may flip in. The last batch of a segment is left out: whether it is torn
 * or damaged nobody can tell, for it looks the same (PAR, FAST 2018). */
static size_t rotting_bytes(const struct file_node *node, const char *name)
{
    const struct file_bytes *bytes = &node->durable;
    struct span batch = SPAN("");
    struct batch_info info;
    if (strcmp(strrchr(name, '.'), ".log") != 0)
        return bytes->length;
    size_t last = 0;
    for (size_t at = 0; at < bytes->length; at += batch.length) {
        const struct span window = span_of(bytes->data + at, bytes->length - at);
        last = at;
        if (batch_next(window, window.length, BATCH_CHECK_HEADER, &batch, &info) != BATCH_FOUND)
            break;
    }
    return last;
}

/* Those that a search is for. */
struct search {
    const char *part; /* of their path */
    uint64_t wanted;  /* the number of the one that is returned */
    uint64_t count;
    bool is_derived; /* that one */
    size_t bytes;
};

/* Counts the files below a folder that may rot; `matches`: the way to it has the part. */
static struct file_node *find(const struct file_node *folder, bool matches, struct search *search)
{
    for (size_t i = 0; i < folder->durable_entries.count; i++) {
        const struct entry *entry = &folder->durable_entries.items[i];
        const bool is_meant = matches || strstr(entry->name, search->part) != NULL;
        const struct rotting *rotting = rotting_of(entry->name);
        struct file_node *found = NULL;
        if (entry->node->is_folder) {
            found = find(entry->node, is_meant, search);
        } else if (is_meant && rotting != NULL && entry->node->changes_count == 0 &&
                   rotting_bytes(entry->node, entry->name) > 0 &&
                   search->count++ == search->wanted) {
            search->bytes = rotting_bytes(entry->node, entry->name);
            search->is_derived = rotting->is_derived;
            found = entry->node;
        }
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool files_rot(struct files *files, const char *part, bool *ret_is_derived)
{
    struct search search = {.part = part == NULL ? "" : part, .wanted = UINT64_MAX};
    for (size_t i = 0; i < FILES_FOLDERS_MAX; i++)
        find(files->roots[i], false, &search);
    if (search.count == 0)
        return false;
    search.wanted = chance_below(files->rng, search.count);
    search.count = 0;
    struct file_node *node = NULL;
    for (size_t i = 0; node == NULL; i++)
        node = find(files->roots[i], false, &search);
    const uint64_t bit = chance_below(files->rng, search.bytes * 8);
    file_bytes_own(&node->durable);
    file_bytes_own(&node->visible);
    node->durable.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    node->visible.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    *ret_is_derived = search.is_derived;
    return true;
}
