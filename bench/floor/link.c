/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define INPUT_BYTES  ((size_t)256 << 10)
#define OUTPUT_BYTES ((size_t)16 << 10)

int link_receive(struct link *link)
{
    const ssize_t got = recv(link->socket, link->input + link->input_length,
                             link->input_capacity - link->input_length, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    link->input_length += (size_t)got;
    return got == 0 ? -1 : 0;
}

int link_compact(struct link *link, size_t wanted)
{
    link->input_length -= link->used;
    if (link->used > 0 && link->input_length > 0)
        memmove(link->input, link->input + link->used, link->input_length);
    link->used = 0;
    wanted = wanted < INPUT_BYTES ? INPUT_BYTES : wanted;
    if (wanted <= link->input_capacity)
        return 0;
    uint8_t *input = realloc(link->input, wanted);
    if (input == NULL)
        return -1;
    link->input = input;
    link->input_capacity = wanted;
    return 0;
}

uint8_t *link_put(struct link *link, size_t length)
{
    if (link->output_length + length > link->output_capacity) {
        const size_t capacity = 2 * link->output_capacity + length + OUTPUT_BYTES;
        uint8_t *output = realloc(link->output, capacity);
        if (output == NULL)
            return NULL;
        link->output = output;
        link->output_capacity = capacity;
    }
    link->output_length += length;
    return link->output + link->output_length - length;
}

int link_put_file(struct link *link, int file, uint64_t position, size_t length)
{
    if (link->files_count == LINK_FILES_MAX)
        return -1;
    link->files[(link->files_first + link->files_count++) % LINK_FILES_MAX] = (struct link_file){
        .at = link->output_length, .file = file, .position = position, .length = length};
    return 0;
}

/* Sends a part of the output or of the file that follows it. Returns how much, or -1 with errno. */
static ssize_t send_some(struct link *link)
{
    struct link_file *file = &link->files[link->files_first];
    const size_t end = link->files_count > 0 ? file->at : link->output_length;
    if (link->output_sent < end) {
        const ssize_t sent =
            send(link->socket, link->output + link->output_sent, end - link->output_sent,
                 MSG_NOSIGNAL | MSG_DONTWAIT | (link->files_count > 0 ? MSG_MORE : 0));
        link->output_sent += sent > 0 ? (size_t)sent : 0;
        return sent;
    }
    off_t position = (off_t)file->position;
    const ssize_t sent = sendfile(link->socket, file->file, &position, file->length);
    if (sent > 0) {
        file->position += (uint64_t)sent;
        file->length -= (size_t)sent;
    }
    if (file->length == 0) {
        link->files_first = (link->files_first + 1) % LINK_FILES_MAX;
        link->files_count--;
    }
    return sent;
}

int link_send(struct link *link)
{
    link->full = false;
    while (link->output_sent < link->output_length || link->files_count > 0) {
        const ssize_t sent = send_some(link);
        if (sent < 0 && errno == EAGAIN) {
            link->full = true;
            return 0;
        }
        if (sent < 0 && errno != EINTR)
            return -1;
    }
    link->output_sent = link->output_length = 0;
    return 0;
}
