/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of settings in the syntax of java.util.Properties: "key=value", "key: value" or "key value"
 * in each line; comments begin with '#' or '!'; a backslash at a line's end joins the next one, and
 * elsewhere writes what a line cannot hold as it is: \t \n \r \f \uXXXX, or the character itself.
 * Bytes beyond ASCII pass as they are; \uXXXX becomes UTF-8.
 */
#ifndef CLI_PROPERTIES_H
#define CLI_PROPERTIES_H

#include <stdint.h>

#include "core/base/span.h"

#define PROPERTIES_FILE_BYTES_MAX (1u << 20)

/* Called for each setting with the number of the line that it begins in. The texts are borrowed. */
typedef void properties_setting(void *context, uint32_t line, struct span key, struct span value);

/* Reads all settings of `text`, in their order; an empty value is the empty text. Returns NULL; or
 * what is wrong, with its line in *ret_line. The settings before it were given by then. */
const char *properties_read(struct span text, properties_setting *setting, void *context,
                            uint32_t *ret_line);

#endif
