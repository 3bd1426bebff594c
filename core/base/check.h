/* SPDX-License-Identifier: Apache-2.0 */
/* The assertion for ourselves: on in production too. Input from outside never reaches one. */
#ifndef CORE_BASE_CHECK_H
#define CORE_BASE_CHECK_H

#include <stdlib.h>

/* Stop the process when our own reasoning was wrong; the core dump names the line. */
#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#endif
