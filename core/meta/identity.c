/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/identity.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/uuid.h"
#include "core/wire/error.h"

static struct span trimmed(struct span text)
{
    while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_of(text.data + 1, text.length - 1);
    while (text.length > 0 &&
           (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t' ||
            text.data[text.length - 1] == '\r'))
        text.length--;
    return text;
}

/* Takes the first line off `text`; false when nothing is left. */
static bool line_take(struct span *text, struct span *ret_line)
{
    if (text->length == 0)
        return false;
    const uint8_t *end = memchr(text->data, '\n', text->length);
    const size_t length = end == NULL ? text->length : (size_t)(end - text->data);
    const size_t used = end == NULL ? length : length + 1;
    *ret_line = trimmed(span_of(text->data, length));
    *text = span_of(text->data + used, text->length - used);
    return true;
}

bool identity_cluster_id_is_sound(struct span text)
{
    if (text.length == 0 || text.length > IDENTITY_CLUSTER_ID_MAX)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '\\')
            return false;
    }
    return true;
}

/* The four keys, as far as a file has them. */
struct keys {
    struct span version;
    struct span cluster_id;
    struct span node_id;
    struct span directory_id;
};

static bool keys_read(struct span text, struct keys *keys)
{
    struct span line;
    while (line_take(&text, &line)) {
        if (line.length == 0 || line.data[0] == '#')
            continue;
        const uint8_t *equals = memchr(line.data, '=', line.length);
        if (equals == NULL)
            return false;
        const size_t key_length = (size_t)(equals - line.data);
        const struct span key = trimmed(span_of(line.data, key_length));
        const struct span value = trimmed(span_of(equals + 1, line.length - key_length - 1));
        if (span_equal(key, SPAN("version")))
            keys->version = value;
        else if (span_equal(key, SPAN("cluster.id")))
            keys->cluster_id = value;
        else if (span_equal(key, SPAN("node.id")))
            keys->node_id = value;
        else if (span_equal(key, SPAN("directory.id")))
            keys->directory_id = value;
    }
    return true;
}

int identity_parse(struct span text, struct identity *ret_identity, const char **ret_why)
{
    struct keys keys = {SPAN_NULL, SPAN_NULL, SPAN_NULL, SPAN_NULL};
    struct identity identity = {.node_id = -1};
    int64_t node_id = -1;
    const char *why = NULL;
    if (!keys_read(text, &keys))
        why = "it has a line that is not KEY=VALUE";
    else if (!span_equal(keys.version, SPAN("1")))
        why = "its version is not 1";
    else if (!identity_cluster_id_is_sound(keys.cluster_id))
        why = "it has no cluster.id";
    else if (parse_int64(keys.node_id, &node_id) != 0 || node_id < 0 || node_id > INT32_MAX)
        why = "it has no node.id";
    else if (uuid_parse(keys.directory_id, &identity.directory_id) != 0)
        why = "it has no directory.id";
    if (why != NULL) {
        *ret_why = why;
        return ERR_MALFORMED;
    }
    identity.node_id = (int32_t)node_id;
    memcpy(identity.cluster_id, keys.cluster_id.data, keys.cluster_id.length);
    *ret_identity = identity;
    return ERR_NONE;
}

size_t identity_print(const struct identity *identity, char *out, size_t capacity)
{
    return format_text(out, capacity, "cluster.id=%s\ndirectory.id=%s\nnode.id=%d\nversion=1\n",
                       identity->cluster_id, uuid_text(identity->directory_id).text,
                       identity->node_id);
}
