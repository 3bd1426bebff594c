/* SPDX-License-Identifier: Apache-2.0 */
/* Makes tapes (fuzz/tape.h) that mean something: each action is played as soon as it is recorded,
 * so that a request can be made of what the broker answered before. */
#ifndef FUZZ_RECORDING_H
#define FUZZ_RECORDING_H

#include "fuzz/tape.h"
#include "tests/e2e/story.h"

#define RECORDING_BYTES_MAX ((size_t)64 * 1024)

struct recording {
    struct tape_stage stage;
    struct memory memory;
    struct arena arena; /* requests, responses, and what the story keeps */
    struct story story;
    int32_t correlation_ids[TAPE_CONNECTIONS]; /* of the last request of each */
    int32_t last_correlation_id;
    size_t length;
    uint8_t bytes[RECORDING_BYTES_MAX];
};

/* An empty tape, with a broker that starts. */
void recording_begin(struct recording *recording);

/* Ends it; the tape goes to the file FOLDER/NAME. Exits when it cannot be written. */
void recording_end(struct recording *recording, const char *folder, const char *name);

/* Records an action that has an argument of so many bytes. */
void recording_act(struct recording *recording, uint8_t action, uint16_t argument, size_t bytes);

/* Records that minutes pass, up to 255; connections are opened anew: idle ones were closed. */
void recording_minutes(struct recording *recording, uint16_t minutes);

/* A request of this API as tests/e2e/story.h has it, to be changed at will. Lives as long as the
 * recording, as do responses. */
void *recording_request(struct recording *recording, int16_t api_key);

/* Records that a connection sends the request. The response to it; NULL when none has come, and
 * recording_response() may have it later. Responses to earlier requests are dropped. */
void *recording_call(struct recording *recording, uint8_t connection, int16_t api_key,
                     int16_t version, const void *request);

void *recording_response(struct recording *recording, uint8_t connection, int16_t api_key,
                         int16_t version);

/* Records that a connection sends these bytes. */
void recording_send(struct recording *recording, uint8_t connection, struct span bytes);

#endif
