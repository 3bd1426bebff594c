/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void set_no_delay(int socket)
{
    const int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int socket_listen(uint16_t *port)
{
    const int one = 1;
    struct sockaddr_in address = address_of(*port);
    socklen_t length = sizeof(address);
    const int opened = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return -1;
    setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(opened, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(opened, BACKLOG) != 0 ||
        getsockname(opened, (struct sockaddr *)&address, &length) != 0) {
        close(opened);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return opened;
}

int socket_accept(int listener)
{
    const int opened = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (opened >= 0)
        set_no_delay(opened);
    return opened;
}

int socket_connect(uint16_t port)
{
    const struct sockaddr_in address = address_of(port);
    const int opened = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return -1;
    if (connect(opened, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(opened);
        return -1;
    }
    set_no_delay(opened);
    return opened;
}
