#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char HANDSHAKE[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n";

int peer_connect(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 10};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int peer_ask(int fd) {
    return peer_write(fd, HANDSHAKE, sizeof HANDSHAKE - 1);
}

int peer_open(int port) {
    char head[2048];
    int fd = peer_connect(port);
    if (fd < 0) return -1;
    if (peer_ask(fd) == 0 && peer_read_head(fd, head, sizeof head) > 0 &&
        strncmp(head, "HTTP/1.1 101 ", 13) == 0)
        return fd;
    close(fd);
    return -1;
}

int peer_write(int fd, const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

size_t peer_frame(unsigned char *out, int first, const void *payload, size_t len) {
    const unsigned char *from = payload;
    size_t at = 2;
    out[0] = (unsigned char)first;
    if (len < 126) {
        out[1] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        out[1] = 0x80 | 126;
        for (int shift = 8; shift >= 0; shift -= 8) out[at++] = (unsigned char)(len >> shift);
    } else {
        out[1] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8) out[at++] = (unsigned char)((uint64_t)len >> shift);
    }
    for (unsigned char key = 1; key <= 4; key++) out[at++] = key;
    for (size_t i = 0; i < len; i++) out[at + i] = from[i] ^ (unsigned char)(i % 4 + 1);
    return at + len;
}

int peer_send(int fd, int first, const void *payload, size_t len) {
    unsigned char *frame = malloc(len + 14);
    int result = frame ? peer_write(fd, frame, peer_frame(frame, first, payload, len)) : -1;
    free(frame);
    return result;
}

/* Reads exactly len bytes; 0 on success. */
static int read_exactly(int fd, void *out, size_t len) {
    char *at = out;
    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

long peer_read(int fd, int *first, void *out, size_t size) {
    unsigned char head[10];
    char spill[4096];
    uint64_t len;
    if (read_exactly(fd, head, 2) != 0) return -1;
    if (first) *first = head[0];
    len = head[1] & 127;
    if (len >= 126) {
        size_t bytes = len == 126 ? 2 : 8;
        if (read_exactly(fd, head + 2, bytes) != 0) return -1;
        len = 0;
        for (size_t i = 0; i < bytes; i++) len = len << 8 | head[2 + i];
    }
    for (uint64_t done = 0; done < len;) {
        size_t want = done < size ? (size_t)(len - done < size - done ? len - done : size - done)
                                  : (size_t)(len - done < sizeof spill ? len - done : sizeof spill);
        if (read_exactly(fd, done < size ? (char *)out + done : spill, want) != 0) return -1;
        done += want;
    }
    return (long)len;
}

size_t peer_read_all(int fd, void *out, size_t size) {
    size_t len = 0;
    while (len < size) {
        ssize_t n = recv(fd, (char *)out + len, size - len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
    }
    return len;
}

long peer_read_head(int fd, char *out, size_t size) {
    size_t len = 0;
    while (len + 1 < size && (len < 4 || memcmp(out + len - 4, "\r\n\r\n", 4) != 0)) {
        if (read_exactly(fd, out + len, 1) != 0) return -1;
        len++;
    }
    out[len] = 0;
    return (long)len;
}

int peer_ended(int fd, int ms) {
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&poller, 1, ms) == 1 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

int peer_ask_for(int fd, const char *request) {
    return peer_write(fd, request, strlen(request));
}

int peer_reply(int fd, char *head, size_t head_size, char *body, size_t body_size) {
    const char *length;
    size_t len = 0;
    if (peer_read_head(fd, head, head_size) < 0 || strncmp(head, "HTTP/1.1 ", 9) != 0) return -1;
    length = strstr(head, "\r\nContent-Length: ");
    if (length && body) len = strtoul(length + 18, NULL, 10);
    if (body) {
        if (len >= body_size || read_exactly(fd, body, len) != 0) return -1;
        body[len] = 0;
    }
    return atoi(head + 9);
}

void peer_reset(int fd) {
    struct linger none = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}
