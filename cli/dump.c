/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dump.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/json.h"

#define WINDOW_BYTES ((size_t)1 << 20)

/* Small files are read whole; the largest, a snapshot of 65,536 producers, has 3 MiB. */
#define SMALL_FILE_BYTES_MAX ((uint64_t)64 << 20)

void dump_wrong(struct dump *dump, uint64_t position, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    dump->failed = true;
    fflush(dump->out);
    fprintf(dump->err, "chronik dump: %s: position %llu: %s\n", dump->path,
            (unsigned long long)position, text);
    if (!dump->json)
        return;
    dump_begin(dump, "error", 0);
    dump_number(dump, "position", (int64_t)position);
    dump_text(dump, "error", span_text(text));
    dump_end(dump);
}

void dump_begin(struct dump *dump, const char *kind, int indent)
{
    if (!dump->json) {
        fprintf(dump->out, "%*s%s", indent, "", kind);
        return;
    }
    fputs("{\"file\":", dump->out);
    json_text(dump->out, span_text(dump->path));
    fprintf(dump->out, ",\"kind\":\"%s\"", kind);
}

void dump_end(struct dump *dump)
{
    fputs(dump->json ? "}\n" : "\n", dump->out);
}

void dump_name(struct dump *dump, const char *name)
{
    fprintf(dump->out, dump->json ? ",\"%s\":" : " %s ", name);
}

void dump_number(struct dump *dump, const char *name, int64_t value)
{
    dump_name(dump, name);
    fprintf(dump->out, "%lld", (long long)value);
}

void dump_text(struct dump *dump, const char *name, struct span value)
{
    dump_name(dump, name);
    json_text(dump->out, value);
}

void dump_flag(struct dump *dump, const char *name)
{
    fprintf(dump->out, dump->json ? ",\"%s\":true" : " %s", name);
}

void dump_time(struct dump *dump, const char *name, int64_t time_ms)
{
    const time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    char text[64];
    dump_name(dump, name);
    if (dump->json || time_ms < 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        fprintf(dump->out, "%lld", (long long)time_ms);
        return;
    }
    fprintf(dump->out, "%s.%03dZ", text, (int)(time_ms % 1000));
}

void dump_bytes(struct dump *dump, const char *name, struct span value)
{
    char name_hex[32];
    if (json_is_text(value)) {
        dump_text(dump, name, value);
        return;
    }
    snprintf(name_hex, sizeof(name_hex), "%s_hex", name);
    dump_name(dump, name_hex);
    fputs(dump->json ? "\"" : "", dump->out);
    for (size_t i = 0; i < value.length; i++)
        fprintf(dump->out, "%02x", value.data[i]);
    fputs(dump->json ? "\"" : "", dump->out);
}

/* Reads at most `length` bytes at `position`, fewer only at the file's end. Returns how many, or -1
 * with errno. */
static ssize_t read_at(int file, uint8_t *bytes, size_t length, uint64_t position)
{
    size_t done = 0;
    while (done < length) {
        const ssize_t count = pread(file, bytes + done, length - done, (off_t)(position + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

int dump_show(struct dump *dump, struct dump_window *window, uint64_t position, size_t need)
{
    const uint64_t end = window->position + window->length;
    if (position >= window->position && (position + need <= end || end == dump->size_bytes)) {
        const size_t step = (size_t)(position - window->position);
        if (step <= window->length && window->length - step >= need)
            return 0;
    }
    const size_t wanted = need < WINDOW_BYTES ? WINDOW_BYTES : need;
    if (wanted > window->capacity) {
        uint8_t *bytes = realloc(window->bytes, wanted);
        if (bytes == NULL) {
            dump_wrong(dump, position, "%zu bytes do not fit into memory", wanted);
            return -1;
        }
        window->bytes = bytes;
        window->capacity = wanted;
    }
    const ssize_t count = read_at(dump->file, window->bytes, wanted, position);
    if (count < 0) {
        dump_wrong(dump, position, "%s", strerror(errno));
        return -1;
    }
    window->position = position;
    window->length = (size_t)count;
    return 0;
}

void dump_window_free(struct dump_window *window)
{
    free(window->bytes);
    *window = (struct dump_window){.position = 0};
}

int dump_read_all(struct dump *dump, struct span *ret_bytes)
{
    if (dump->size_bytes > SMALL_FILE_BYTES_MAX) {
        dump_wrong(dump, 0, "the file is larger than any of its kind");
        return -1;
    }
    uint8_t *bytes = arena_take(&dump->arena, (size_t)dump->size_bytes);
    const ssize_t count =
        bytes == NULL ? -1 : read_at(dump->file, bytes, (size_t)dump->size_bytes, 0);
    if (count < 0) {
        dump_wrong(dump, 0, "%s", bytes == NULL ? "out of memory" : strerror(errno));
        return -1;
    }
    *ret_bytes = span_of(bytes, (size_t)count);
    return 0;
}
