/* masks: collects the masking keys of a million frames of our client, and those of a child of fork(), and tells how
 * random they are: `masks=N distinct=N chi=X child_common=N`. */
#include <libws.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MASKS = 1000000, FRAME = 6, OF_CHILD = 1000 };

static uint32_t masks[MASKS], child_masks[OF_CHILD], parent_masks[OF_CHILD];
static libws_conn conn;
static int opened;

static void on_open(libws_conn id, void *user) {
    (void)user;
    conn = id;
    opened = 1;
}

static void fail(const char *what) {
    printf("%s: %s\n", what, libws_last_error());
    exit(1);
}

static void read_exactly(int fd, void *out, size_t len) {
    if (recv(fd, out, len, MSG_WAITALL) != (ssize_t)len) fail("the stream has ended");
}

/* A client and the server that a raw peer plays, on a loop of its own. The key of RFC 6455 section 1.3 cannot be had
 * from the library, so the server is the library too, and what the client sends is read from a proxied stream. */
struct pair {
    libws_loop loop;
    int raw;
};

static int listen_raw(int *port);
static void pump_handshake(libws_loop loop, int client, int server);

static struct pair open_pair(void) {
    const libws_handlers none = {.struct_size = sizeof none}, calling = {.struct_size = sizeof calling, .on_open = on_open};
    struct pair pair = {0, -1};
    libws_listener listener;
    char url[64];
    int port, between, server;
    if (libws_loop_new(NULL, &pair.loop) || libws_listen(pair.loop, "ws://127.0.0.1:0", &none, NULL, NULL, &listener))
        fail("listen");
    between = listen_raw(&port);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", port);
    opened = 0;
    if (libws_connect(pair.loop, url, &calling, NULL, NULL, NULL)) fail("connect");
    libws_loop_run_once(pair.loop, 100);
    pair.raw = accept(between, NULL, NULL);
    close(between);
    server = socket(AF_INET, SOCK_STREAM, 0);
    {
        extern int connect_to_port(int fd, int port);
        if (connect_to_port(server, libws_listener_port(listener))) fail("connect to the server");
    }
    pump_handshake(pair.loop, pair.raw, server);
    close(server);
    return pair;
}

/* Sends `count` frames of no bytes and keeps their keys. */
static void collect(struct pair pair, uint32_t *out, int count) {
    unsigned char frame[FRAME * 1000];
    for (int at = 0; at < count; at += 1000) {
        for (int i = 0; i < 1000; i++)
            if (libws_send(conn, LIBWS_BINARY, "", 0) < 0) fail("send");
        libws_loop_run_once(pair.loop, 0);
        read_exactly(pair.raw, frame, sizeof frame);
        for (int i = 0; i < 1000; i++) memcpy(&out[at + i], frame + i * FRAME + 2, 4);
    }
}

static int by_value(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static double chi_square(void) {
    double chi = 0, expected = MASKS / 256.0;
    for (int byte = 0; byte < 4; byte++) {
        unsigned count[256] = {0};
        for (int i = 0; i < MASKS; i++) count[masks[i] >> 8 * byte & 255]++;
        for (int i = 0; i < 256; i++) chi += (count[i] - expected) * (count[i] - expected) / expected;
    }
    return chi;
}

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

static int listen_raw(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1) || getsockname(fd, (struct sockaddr *)&address, &size))
        fail("bind");
    *port = ntohs(address.sin_port);
    return fd;
}

int connect_to_port(int fd, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* Hands the request to the server and its 101 to the client. */
static void pump_handshake(libws_loop loop, int client, int server) {
    for (int turn = 0; turn < 200 && !opened; turn++) {
        struct pollfd both[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        char bytes[4096];
        libws_loop_run_once(loop, 10);
        if (poll(both, 2, 0) <= 0) continue;
        for (int i = 0; i < 2; i++) {
            ssize_t got = both[i].revents ? recv(both[i].fd, bytes, sizeof bytes, 0) : 0;
            if (got > 0 && send(both[1 - i].fd, bytes, (size_t)got, 0) != got) fail("send");
        }
    }
    if (!opened) fail("the connection does not open");
}

int main(void) {
    int pipes[2], distinct = 1, common = 0, status;
    struct pair pair = open_pair();
    setvbuf(stdout, NULL, _IONBF, 0);
    collect(pair, masks, MASKS);
    if (pipe(pipes)) fail("pipe");
    /* Both sides of the fork go on from here: what was buffered before must not be used twice. */
    pid_t child = fork();
    if (child == 0) {
        collect(open_pair(), child_masks, OF_CHILD);
        _exit(write(pipes[1], child_masks, sizeof child_masks) != sizeof child_masks);
    }
    collect(pair, parent_masks, OF_CHILD);
    if (read(pipes[0], child_masks, sizeof child_masks) != sizeof child_masks) fail("the child");
    if (waitpid(child, &status, 0) != child || status) fail("the child's status");
    for (int i = 0; i < OF_CHILD; i++)
        for (int j = 0; j < OF_CHILD; j++) common += child_masks[i] == parent_masks[j];
    printf("chi=%.1f ", chi_square());
    qsort(masks, MASKS, sizeof *masks, by_value);
    for (int i = 1; i < MASKS; i++) distinct += masks[i] != masks[i - 1];
    printf("masks=%d distinct=%d child_common=%d\n", MASKS, distinct, common);
    return 0;
}
