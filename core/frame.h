/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of one frame to a request with its handler. */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "core/base/buffer.h"
#include "core/base/span.h"

struct session;

/* A frame is, behind its size, at least api key, version and correlation id. */
#define FRAME_BYTES_MIN 8

/* Decodes the request in `bytes`, which lie in `buffer`, and hands it to its handler. What is not a
 * request that we serve closes the session. */
void frame_handle(struct session *session, struct buffer *buffer, struct span bytes);

#endif
