/* SPDX-License-Identifier: Apache-2.0 */
/* wiregen STEM FILE.kp...: makes STEM.h and STEM.c out of schema files. */
#include "tools/wiregen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail_at(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static _Noreturn void fail(const char *what, const char *name)
{
    fprintf(stderr, "wiregen: %s%s: %s\n", what, name, strerror(errno));
    exit(1);
}

void *take(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        fail("memory", "");
    return memory;
}

char *text(const char *format, ...)
{
    va_list arguments;
    char *out = NULL;

    va_start(arguments, format);
    if (vasprintf(&out, format, arguments) < 0)
        fail("memory", "");
    va_end(arguments);
    return out;
}

/* Writes a file under another name first, so that a build that is stopped leaves no half of it. */
static void write_file(const char *stem, const char *ending, const struct schema *schema,
                       void (*emit)(FILE *, const struct schema *, const char *))
{
    char *name = text("%s%s", stem, ending);
    char *draft = text("%s.draft", name);
    FILE *out = fopen(draft, "w");

    if (out == NULL)
        fail("cannot write ", draft);
    emit(out, schema, stem);
    if (ferror(out) || fclose(out) != 0)
        fail("cannot write ", draft);
    if (rename(draft, name) != 0)
        fail("cannot rename to ", name);
}

int main(int argc, char **argv)
{
    struct schema schema = {0};

    if (argc < 3) {
        fputs("usage: wiregen STEM FILE.kp...\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        parse_file(&schema, argv[i]);
    for (const struct message *message = schema.messages; message != NULL; message = message->next)
        for (int version = message->versions.first; version <= message->versions.last; version++)
            plan_of(message->shape, version, version >= message->flexible);
    find_zero_shapes(&schema);
    write_file(argv[1], ".h", &schema, emit_header);
    write_file(argv[1], ".c", &schema, emit_source);
    return 0;
}
