/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/value.h"

#include "core/base/format.h"

void conf_message_v(struct conf_message *message, const char *format, va_list arguments)
{
    format_text_v(message->text, sizeof(message->text), format, arguments);
    for (char *at = message->text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    }
}

void conf_message(struct conf_message *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    conf_message_v(message, format, arguments);
    va_end(arguments);
}

void conf_finding(const struct conf *conf, bool is_refused, uint32_t place, const char *format, ...)
{
    struct conf_message message;
    va_list arguments;
    va_start(arguments, format);
    conf_message_v(&message, format, arguments);
    va_end(arguments);
    conf->report(conf->context, is_refused, place, span_text(message.text));
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct span conf_trim(struct span text)
{
    while (text.length > 0 && is_blank(text.data[0]))
        text = span_of(text.data + 1, text.length - 1);
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

bool conf_list_next(struct span *rest, struct span *ret_item)
{
    if (conf_trim(*rest).length == 0)
        return false;
    const uint8_t *comma = memchr(rest->data, ',', rest->length);
    const size_t length = comma == NULL ? rest->length : (size_t)(comma - rest->data);
    *ret_item = conf_trim(span_of(rest->data, length));
    *rest = comma == NULL ? SPAN_NULL : span_of(comma + 1, rest->length - length - 1);
    return true;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool conf_same(struct span a, struct span b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

static int read_boolean(const char *name, struct conf_value *value, struct conf_message *message)
{
    if (!conf_same(value->text, SPAN("true")) && !conf_same(value->text, SPAN("false"))) {
        conf_message(message, "%s: '%.*s' is neither true nor false", name, QUOTED(value->text));
        return -1;
    }
    value->integer = conf_same(value->text, SPAN("true"));
    value->text = value->integer != 0 ? SPAN("true") : SPAN("false");
    return 0;
}

/* Says which numbers are allowed: ranges that end where the type ends have no end for a reader. */
static void out_of_range(const struct conf_key_info *info, const char *name, struct span text,
                         struct conf_message *message)
{
    const bool open = info->most == INT32_MAX || info->most == INT64_MAX;
    if (open)
        conf_message(message, "%s: '%.*s' is out of range, it has to be at least %lld", name,
                     QUOTED(text), (long long)info->least);
    else
        conf_message(message, "%s: '%.*s' is out of range, allowed is %lld to %lld", name,
                     QUOTED(text), (long long)info->least, (long long)info->most);
}

static int read_integer(const struct conf_key_info *info, const char *name,
                        struct conf_value *value, struct conf_message *message)
{
    if (parse_int64(value->text, &value->integer) != 0) {
        conf_message(message, "%s: '%.*s' is not a whole number", name, QUOTED(value->text));
        return -1;
    }
    if (value->integer > info->most && (info->most == INT32_MAX || info->most == INT64_MAX)) {
        conf_message(message, "%s: '%.*s' is out of range, it has to be at most %lld", name,
                     QUOTED(value->text), (long long)info->most);
        return -1;
    }
    if (value->integer < info->least || value->integer > info->most) {
        out_of_range(info, name, value->text, message);
        return -1;
    }
    return 0;
}

/* Digits that a double holds exactly, so that one division gives the nearest double. */
#define REAL_DIGITS_MAX 15

static int read_real(const struct conf_key_info *info, const char *name, struct conf_value *value,
                     struct conf_message *message)
{
    int64_t digits = 0;
    double divisor = 1;
    size_t count = 0;
    bool point = false;
    bool good = value->text.length > 0;
    for (size_t i = 0; i < value->text.length && good; i++) {
        const uint8_t byte = value->text.data[i];
        if (byte == '.' && !point) {
            point = true;
            continue;
        }
        good = byte >= '0' && byte <= '9' && ++count <= REAL_DIGITS_MAX;
        digits = digits * 10 + (byte - '0');
        divisor *= point ? 10 : 1;
    }
    if (!good || count == 0) {
        conf_message(message, "%s: '%.*s' is not a decimal number such as 0.5", name,
                     QUOTED(value->text));
        return -1;
    }
    value->real = (double)digits / divisor;
    if (value->real < (double)info->least || value->real > (double)info->most) {
        out_of_range(info, name, value->text, message);
        return -1;
    }
    return 0;
}

/* True when `word` is one of "a|b|c". */
static bool is_allowed(struct span allowed, struct span word)
{
    while (allowed.length > 0 && word.length > 0) {
        const uint8_t *end = memchr(allowed.data, '|', allowed.length);
        const size_t length = end == NULL ? allowed.length : (size_t)(end - allowed.data);
        if (span_equal(span_of(allowed.data, length), word))
            return true;
        allowed = end == NULL ? SPAN_NULL : span_of(end + 1, allowed.length - length - 1);
    }
    return false;
}

static int not_allowed(const struct conf_key_info *info, const char *name, struct span word,
                       struct conf_message *message)
{
    char words[128];
    size_t length = 0;
    for (const char *at = info->allowed; *at != '\0' && length + 3 < sizeof(words); at++) {
        if (*at == '|') {
            words[length++] = ',';
            words[length++] = ' ';
        } else {
            words[length++] = *at;
        }
    }
    words[length] = '\0';
    conf_message(message, "%s: '%.*s' is not known, allowed is %s", name, QUOTED(word), words);
    return -1;
}

static int read_words(const struct conf_key_info *info, const char *name,
                      const struct conf_value *value, struct conf_message *message)
{
    const struct span allowed = span_text(info->allowed);
    if (span_is_null(allowed))
        return 0;
    if (info->type == CONF_TYPE_STRING)
        return is_allowed(allowed, value->text) ? 0 : not_allowed(info, name, value->text, message);
    struct span rest = value->text;
    struct span item;
    while (conf_list_next(&rest, &item)) {
        if (!is_allowed(allowed, item))
            return not_allowed(info, name, item, message);
    }
    return 0;
}

int conf_value_read(const struct conf_key_info *info, const char *name, struct span text,
                    struct conf_value *ret_value, struct conf_message *message)
{
    struct conf_value value = {.text = conf_trim(text), .source = CONF_SOURCE_DEFAULT};
    int error = 0;
    if (value.text.length > CONF_VALUE_BYTES_MAX) {
        conf_message(message, "%s: the value is longer than %d bytes", name, CONF_VALUE_BYTES_MAX);
        return -1;
    }
    switch (info->type) {
    case CONF_TYPE_BOOLEAN:
        error = read_boolean(name, &value, message);
        break;
    case CONF_TYPE_SHORT:
    case CONF_TYPE_INT:
    case CONF_TYPE_LONG:
        error = read_integer(info, name, &value, message);
        break;
    case CONF_TYPE_DOUBLE:
        error = read_real(info, name, &value, message);
        break;
    case CONF_TYPE_STRING:
    case CONF_TYPE_LIST:
        error = read_words(info, name, &value, message);
        break;
    }
    if (error == 0)
        *ret_value = value;
    return error;
}
