#include "support.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

/* Nothing can be tested without this: the program ends. */
static void must(int32_t result, const char *what) {
    if (result >= 0) return;
    printf("%s: %s: %s\n", what, libws_result_name(result), libws_last_error());
    check_failed++;
    exit(check_end());
}

libws_loop new_loop(void) {
    libws_loop loop = 0;
    must(libws_loop_new(NULL, &loop), "libws_loop_new");
    return loop;
}

int listen_on(libws_loop loop, const libws_handlers *handlers, void *user, const libws_listen_options *options,
              libws_listener *out) {
    libws_listener listener = 0;
    int32_t port;
    must(libws_listen(loop, "ws://127.0.0.1:0", handlers, user, options, &listener), "libws_listen");
    port = libws_listener_port(listener);
    must(port, "libws_listener_port");
    if (out) *out = listener;
    return port;
}

libws_conn connect_to(libws_loop loop, int port, const libws_handlers *handlers, void *user) {
    libws_conn conn = 0;
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    must(libws_connect(loop, url, handlers, user, NULL, &conn), "libws_connect");
    return conn;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int turn_until(libws_loop loop, atomic_int *flag, int value) {
    int64_t end = now_ms() + WAIT_MS;
    while (atomic_load(flag) < value && now_ms() < end) must(libws_loop_run_once(loop, 50), "libws_loop_run_once");
    return atomic_load(flag) >= value;
}

int wait_until(atomic_int *flag, int value) {
    int64_t end = now_ms() + WAIT_MS;
    while (atomic_load(flag) < value && now_ms() < end) sleep_ms(1);
    return atomic_load(flag) >= value;
}

int open_peer(libws_loop loop, int port) {
    char head[2048];
    struct pollfd poller = {.fd = peer_connect(port), .events = POLLIN};
    int64_t end = now_ms() + WAIT_MS;
    if (poller.fd < 0 || peer_ask(poller.fd) != 0) return -1;
    while (poll(&poller, 1, 0) == 0 && now_ms() < end) must(libws_loop_run_once(loop, 10), "libws_loop_run_once");
    return peer_read_head(poller.fd, head, sizeof head) > 0 ? poller.fd : -1;
}

void turn_idle(libws_loop loop) {
    for (int i = 0; i < 20; i++) must(libws_loop_run_once(loop, 1), "libws_loop_run_once");
}

void sleep_ms(int ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

int count_fds(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) count++;
    if (dir) closedir(dir);
    return count;
}
