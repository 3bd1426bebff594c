/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets on 127.0.0.1. */
#ifndef BENCH_FLOOR_SOCKET_H
#define BENCH_FLOOR_SOCKET_H

#include <stdint.h>

/* Listens on *port, or on any when that is 0, and says on which. Returns a socket, or -1 with
 * errno. */
int socket_listen(uint16_t *port);

/* Waits for a connection. Returns a socket without delays, or -1 with errno. */
int socket_accept(int listener);

/* Connects. Returns a socket without delays, or -1 with errno. */
int socket_connect(uint16_t port);

#endif
