/* discard: the least that a server can do with bytes: accept, wait with epoll, read, throw away. Prints
 * `listening on URL`. What a costly peer costs is measured against this. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    static char buffer[16 * 1024];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &size) ||
        epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event))
        return 1;
    printf("listening on ws://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (epoll_wait(poller, &event, 1, -1) > 0) {
        int fd = event.data.fd;
        if (fd == listener) {
            event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            event.events = EPOLLIN | EPOLLET;
            epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
            continue;
        }
        ssize_t got = read(fd, buffer, sizeof buffer);
        while (got == sizeof buffer) got = read(fd, buffer, sizeof buffer);
        if (got == 0) close(fd);
    }
    return 1;
}
