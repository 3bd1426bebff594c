/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/properties.h"
#include "core/base/format.h"

/* Places below this are lines of the file, the others number the options. */
#define PLACE_OPTION 0x80000000u

static void say(struct settings *settings, bool is_refused, uint32_t place, struct span text)
{
    const char *kind = is_refused ? "error" : "warning";
    settings->refused = settings->refused || is_refused;
    if (place >= PLACE_OPTION)
        fprintf(settings->out, "--set %s: %s: %.*s\n", settings->options[place - PLACE_OPTION],
                kind, SPAN_ARGS(text));
    else if (place > 0)
        fprintf(settings->out, "%s:%u: %s: %.*s\n", settings->path, place, kind, SPAN_ARGS(text));
    else
        fprintf(settings->out, "%s: %.*s\n", kind, SPAN_ARGS(text));
}

static void report(void *context, bool is_refused, uint32_t place, struct span text)
{
    say(context, is_refused, place, text);
}

void settings_init(struct settings *settings, struct memory *memory, FILE *out)
{
    *settings = (struct settings){.out = out};
    conf_init(&settings->conf, memory, report, settings);
}

void settings_free(struct settings *settings)
{
    conf_free(&settings->conf);
}

static void take_line(void *context, uint32_t line, struct span key, struct span value)
{
    struct settings *settings = context;
    const int known = conf_key_find(key);
    if (known >= 0 && settings->lines[known] != 0) {
        char text[128];
        const size_t length =
            format_text(text, sizeof(text), "%.*s was set in line %u too; the last one counts",
                        SPAN_ARGS(key), settings->lines[known]);
        say(settings, false, line, span_of(text, length));
    }
    if (known >= 0)
        settings->lines[known] = line;
    conf_set(&settings->conf, key, value, line);
}

/* Reads a whole file of at most one byte more than is allowed. Returns its bytes, to be freed; NULL
 * with errno. */
static uint8_t *read_file(const char *path, size_t *ret_length)
{
    uint8_t *bytes = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    bytes = malloc(PROPERTIES_FILE_BYTES_MAX + 1);
    if (bytes == NULL)
        goto out;
    *ret_length = fread(bytes, 1, PROPERTIES_FILE_BYTES_MAX + 1, file);
    if (ferror(file)) {
        const int error = errno;
        free(bytes);
        bytes = NULL;
        errno = error;
    }
out:
    fclose(file);
    return bytes;
}

void settings_file(struct settings *settings, const char *path)
{
    size_t length = 0;
    uint32_t line = 0;
    settings->path = path;
    uint8_t *bytes = read_file(path, &length);
    if (bytes == NULL) {
        fprintf(settings->out, "%s: error: %s\n", path, strerror(errno));
        settings->refused = true;
        return;
    }
    const char *wrong = properties_read(span_of(bytes, length), take_line, settings, &line);
    if (wrong != NULL)
        say(settings, true, line, span_text(wrong));
    free(bytes);
}

/* How many settings an option holds, which has to be one. */
struct one_option {
    struct settings *settings;
    uint32_t place;
    uint32_t count;
};

static void take_option(void *context, uint32_t line, struct span key, struct span value)
{
    struct one_option *option = context;
    (void)line;
    if (option->count++ == 0)
        conf_set(&option->settings->conf, key, value, option->place);
}

void settings_option(struct settings *settings, const char *text)
{
    if (settings->options_count == SETTINGS_OPTIONS_MAX) {
        fprintf(settings->out, "error: more than %d times --set; use a file\n",
                SETTINGS_OPTIONS_MAX);
        settings->refused = true;
        return;
    }
    struct one_option option = {.settings = settings,
                                .place = PLACE_OPTION + settings->options_count};
    uint32_t line;
    settings->options[settings->options_count++] = text;
    const char *wrong = NULL;
    if (strchr(text, '=') == NULL)
        wrong = "is not of the form key=value";
    if (wrong == NULL)
        wrong = properties_read(span_text(text), take_option, &option, &line);
    if (wrong == NULL && option.count != 1)
        wrong = "is not one setting of the form key=value";
    if (wrong != NULL)
        say(settings, true, option.place, span_text(wrong));
}

int settings_check(struct settings *settings)
{
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    conf_check(&settings->conf, span_text(host));
    return settings->refused ? -1 : 0;
}
