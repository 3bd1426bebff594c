/* SPDX-License-Identifier: Apache-2.0 */
/* The error codes that functions return and replies carry; the one table is error.def. */
#ifndef CORE_WIRE_ERROR_H
#define CORE_WIRE_ERROR_H

enum error {
#define ERROR(name, code, text) ERR_##name = (code),
#include "core/wire/error.def"
#undef ERROR
};

/* "OFFSET_OUT_OF_RANGE" for ERR_OFFSET_OUT_OF_RANGE; "UNKNOWN" for a number that is no code. */
const char *error_name(int code);

/* What the code means, in one line without a full stop. */
const char *error_text(int code);

#endif
