/* neighbours PORT: a hundred well-behaved peers of a server, each of which sends a short text every 20 ms and waits for
 * its echo. For every line `MS` on stdin they do so for MS ms, and a line tells how long the echoes took:
 * `p50 p99 count` in microseconds. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEERS = 100, EVERY_US = 20000, MOST = 1000000, ECHO = 7 };

static const unsigned char text[] = {0x81, 0x85, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'};
static int fds[PEERS];
static int64_t sent_at[PEERS]; /* 0: nothing is on its way */
static int got[PEERS];
static uint32_t taken[MOST];
static size_t count;

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what) {
    printf("failed: %s\n", what);
    exit(1);
}

static int open_peer(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[2048], request[512];
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    size_t have = 0;
    address.sin_port = htons((uint16_t)port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", port);
    if (send(fd, request, strlen(request), 0) < 0) fail("send");
    while (have < 4 || memcmp(head + have - 4, "\r\n\r\n", 4) != 0)
        if (have == sizeof head || recv(fd, head + have++, 1, 0) != 1) fail("handshake");
    return fd;
}

static void take_echo(int peer) {
    unsigned char echo[ECHO];
    ssize_t n = recv(fds[peer], echo, (size_t)(ECHO - got[peer]), MSG_DONTWAIT);
    if (n == 0) fail("the server has closed a neighbour");
    if (n > 0 && (got[peer] += (int)n) == ECHO) {
        if (count < MOST) taken[count++] = (uint32_t)(now_us() - sent_at[peer]);
        got[peer] = 0, sent_at[peer] = 0;
    }
}

static void wait_for_echoes(int poller, int64_t until) {
    struct epoll_event events[PEERS];
    const struct timespec none = {0, 0};
    int64_t left = until - now_us();
    struct timespec patience = {0, left > 0 ? left * 1000 : 0};
    int n = epoll_pwait2(poller, events, PEERS, left > 0 ? &patience : &none, NULL);
    for (int i = 0; i < n; i++) take_echo(events[i].data.fd);
}

static int by_value(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void window(int poller, int ms) {
    int64_t end = now_us() + ms * 1000, due = now_us(), last = end + 20000000;
    int waiting = 1;
    count = 0;
    for (int peer = 0; due < end; peer = (peer + 1) % PEERS, due += EVERY_US / PEERS) {
        do wait_for_echoes(poller, due);
        while (now_us() < due);
        if (sent_at[peer]) continue; /* the last echo is still missing: it will show in the figures */
        sent_at[peer] = now_us();
        if (send(fds[peer], text, sizeof text, 0) != sizeof text) fail("send");
    }
    while (waiting && now_us() < last) {
        waiting = 0;
        for (int i = 0; i < PEERS; i++) waiting += sent_at[i] != 0;
        if (waiting) wait_for_echoes(poller, now_us() + 900);
    }
    if (waiting || count == 0) fail("an echo is missing");
    qsort(taken, count, sizeof *taken, by_value);
    printf("%u %u %zu\n", taken[count / 2], taken[count * 99 / 100], count);
}

int main(int argc, char **argv) {
    char line[64];
    int poller = epoll_create1(0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < PEERS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = i};
        fds[i] = open_peer(argc > 1 ? atoi(argv[1]) : 9001);
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fds[i], &event)) fail("epoll_ctl");
    }
    while (fgets(line, sizeof line, stdin)) window(poller, atoi(line));
    return 0;
}
