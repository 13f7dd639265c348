/*
 * How fast other threads send into one loop, beside the loop's own thread:
 *
 *   threads [BYTES [SECONDS_PER_WINDOW [CYCLES]]]
 *
 * One loop with eight connections, whose peers are read away by a thread of their own. In turn, window by window, the
 * messages are sent by the loop's own thread and by 1, 2 and 8 others. Prints for each the median of the messages per
 * second, its ratio to the loop's own thread in the same cycle, and how often the loop slept per 1,000 messages.
 */
#define _GNU_SOURCE
#include <libws.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8, WAYS = 4, MOST_CYCLES = 101 };
static const int THREADS[WAYS] = {0, 1, 2, 8}; /* 0: the loop's own */

static libws_loop event_loop;
static _Atomic libws_conn conns[CONNECTIONS];
static atomic_int opened, running;
static atomic_ulong sent;
static char payload[1 << 20];
static size_t payload_len = 64;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void on_open(libws_conn conn, void *user)
{
    (void)user;
    conns[atomic_fetch_add(&opened, 1)] = conn;
}

/* ---- the peers: their bytes are read and thrown away ---- */

static int raw_client(int port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, request, sizeof request - 1, 0) != (ssize_t)sizeof request - 1) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void *drain(void *arg)
{
    struct pollfd fds[CONNECTIONS];
    int i;
    for (i = 0; i < CONNECTIONS; i++) {
        fds[i] = (struct pollfd){.fd = raw_client(*(int *)arg), .events = POLLIN};
    }
    for (;;) {
        poll(fds, CONNECTIONS, -1);
        for (i = 0; i < CONNECTIONS; i++) {
            /* MSG_TRUNC: the kernel counts the bytes and copies none. */
            if (fds[i].revents && recv(fds[i].fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) == 0) return NULL;
        }
    }
}

/* ---- the senders ---- */

static int32_t send_one(int conn)
{
    int32_t result = libws_send(conns[conn % CONNECTIONS], LIBWS_BINARY, payload, payload_len);
    if (result < 0 && result != LIBWS_ERR_FULL) {
        fprintf(stderr, "send: %s\n", libws_last_error());
        exit(1);
    }
    return result;
}

/* Sends until told to stop; a connection with a long queue is left to the loop for a moment. */
static void *sender(void *arg)
{
    unsigned long done = 0;
    int conn;
    for (conn = (int)(size_t)arg; running; conn++) {
        int32_t result = send_one(conn);
        if (result == LIBWS_ERR_FULL) {
            usleep(50);
        } else {
            done++;
            if (result == LIBWS_PENDING) sched_yield();
        }
    }
    sent += done;
    return NULL;
}

/* The loop's own thread: 1,000 messages at a time, so that the kernel gets them meanwhile. */
static void own(libws_loop loop, void *arg)
{
    int conn;
    (void)arg;
    for (conn = 0; conn < 1000 && send_one(conn) >= 0; conn++) {
        sent++;
    }
    if (running) libws_loop_post(loop, own, NULL);
}

static void sleeps(libws_loop loop, void *arg)
{
    struct rusage usage;
    (void)loop;
    getrusage(RUSAGE_THREAD, &usage);
    atomic_store((atomic_long *)arg, usage.ru_nvcsw);
}

static long loop_sleeps(void)
{
    atomic_long count = -1;
    libws_loop_post(event_loop, sleeps, &count);
    while (count < 0) usleep(100);
    return count;
}

static void window(int threads, double length, double *rate, double *sleep_rate)
{
    pthread_t ids[8];
    long before = loop_sleeps();
    double start;
    int i;
    running = 1;
    sent = 0;
    start = seconds();
    if (threads == 0) libws_loop_post(event_loop, own, NULL);
    for (i = 0; i < threads; i++) pthread_create(&ids[i], NULL, sender, (void *)(size_t)i);
    usleep((useconds_t)(length * 1e6));
    running = 0;
    for (i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    *sleep_rate = loop_sleeps() - before;
    for (i = 0; i < CONNECTIONS; i++) {
        while (libws_buffered_amount(conns[i]) > 0) usleep(100);
    }
    *rate = sent / (seconds() - start);
    *sleep_rate = *sleep_rate * 1000 / (sent ? sent : 1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

int main(int argc, char **argv)
{
    static double rates[WAYS][MOST_CYCLES], ratios[WAYS][MOST_CYCLES], slept[WAYS][MOST_CYCLES];
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open};
    double length = argc > 2 ? atof(argv[2]) : 0.08;
    int cycles = argc > 3 ? atoi(argv[3]) : 21, cycle, way, port;
    libws_listener listener;
    pthread_t reader;
    if (argc > 1) payload_len = (size_t)atoi(argv[1]);
    if (payload_len > sizeof payload || cycles < 1 || cycles > MOST_CYCLES) return 2;
    if (libws_loop_new(NULL, &event_loop) || libws_listen(event_loop, "ws://127.0.0.1:0", &handlers, NULL, NULL, &listener) ||
        libws_loop_start(event_loop)) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    port = libws_listener_port(listener);
    pthread_create(&reader, NULL, drain, &port);
    while (opened < CONNECTIONS) usleep(1000);
    for (cycle = 0; cycle < cycles; cycle++) {
        for (int turn = 0; turn < WAYS; turn++) {
            way = cycle % 2 ? WAYS - 1 - turn : turn;
            window(THREADS[way], length, &rates[way][cycle], &slept[way][cycle]);
        }
        for (way = 0; way < WAYS; way++) ratios[way][cycle] = rates[way][cycle] / rates[0][cycle];
    }
    printf("%zu bytes\n", payload_len);
    for (way = 0; way < WAYS; way++) {
        printf("%d other threads: %10.0f messages/s, ratio %.2f, %.2f sleeps per 1,000\n", THREADS[way],
               median(rates[way], cycles), median(ratios[way], cycles), median(slept[way], cycles));
    }
    libws_loop_free(event_loop);
    return 0;
}
