/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"

const char *error_name(int code)
{
    switch (code) {
#define ERROR(name, code, text) \
    case code:                  \
        return #name;
#include "core/wire/error.def"
#undef ERROR
    default:
        return "UNKNOWN";
    }
}

const char *error_text(int code)
{
    switch (code) {
#define ERROR(name, code, text) \
    case code:                  \
        return text;
#include "core/wire/error.def"
#undef ERROR
    default:
        return "an error code that this release does not know";
    }
}
