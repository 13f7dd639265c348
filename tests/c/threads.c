/* Calls from threads that do not run the loop: the same results, nothing lost, nothing out of order. */
#include "support.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 8, EACH = 10000, LISTENERS = 20, PUBLISHERS = 4, PUBLISHES = 500 };

static libws_loop loop;
static libws_conn conn; /* the server's side */
static atomic_int opened, closed, drained;

static void on_open(libws_conn id, void *user) {
    (void)user;
    conn = id;
    libws_subscribe(id, "news");
    opened++;
}
static void on_close(libws_conn id, const libws_close_info *info, void *user) {
    (void)id, (void)info, (void)user;
    closed++;
}
static void on_drain(libws_conn id, void *user) { (void)id, (void)user, drained++; }
static const libws_handlers serving = {
    .struct_size = sizeof serving, .on_open = on_open, .on_close = on_close, .on_drain = on_drain};

static int begin(void) {
    int port;
    opened = closed = drained = 0;
    loop = new_loop();
    port = listen_on(loop, &serving, NULL, NULL, NULL);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    return port;
}

/* ---- Many senders, one connection ---- */

static atomic_int received, out_of_order;
static uint32_t next_of[THREADS];

static void on_numbered(libws_conn id, const libws_message *message, void *user) {
    uint32_t pair[2] = {THREADS, 0};
    (void)id, (void)user;
    if (message->len == sizeof pair) memcpy(pair, message->data, sizeof pair);
    if (pair[0] >= THREADS || pair[1] != next_of[pair[0]]++) out_of_order++;
    received++;
}

static void *send_numbered(void *arg) {
    uint32_t pair[2] = {(uint32_t)(size_t)arg, 0};
    while (pair[1] < EACH) {
        int32_t result = libws_send(conn, LIBWS_BINARY, pair, sizeof pair);
        if (result == LIBWS_ERR_FULL) sched_yield();
        else if (result >= 0) pair[1]++;
        else {
            CHECK_EQ(result, LIBWS_OK);
            break;
        }
    }
    return NULL;
}

static void on_each_thread(void *(*body)(void *), int threads) {
    pthread_t ids[THREADS];
    for (int i = 0; i < threads; i++) CHECK_EQ(pthread_create(&ids[i], NULL, body, (void *)(size_t)i), 0);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
}

static void many_senders(void) {
    const libws_handlers counting = {.struct_size = sizeof counting, .on_message = on_numbered};
    int port = begin();
    libws_loop receiver = new_loop();
    CHECK_EQ(libws_loop_start(receiver), LIBWS_OK);
    connect_to(receiver, port, &counting, NULL);
    CHECK(wait_until(&opened, 1));
    on_each_thread(send_numbered, THREADS);
    CHECK(wait_until(&received, THREADS * EACH));
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(libws_loop_free(receiver), LIBWS_OK);
    CHECK(received == THREADS * EACH && out_of_order == 0);
}

/* ---- Sends while the connection goes ---- */

static atomic_int saw_state, saw_gone, saw_other;

static void *send_until_gone(void *arg) {
    int32_t result;
    (void)arg;
    while ((result = libws_send_text(conn, "still there?")) != LIBWS_ERR_GONE) {
        if (result == LIBWS_ERR_STATE) saw_state++;
        else if (result < 0 && result != LIBWS_ERR_FULL) saw_other++;
        sched_yield();
    }
    saw_gone++;
    return NULL;
}
static void *close_soon(void *arg) {
    char reply[] = "\3\350";
    int fd = *(int *)arg, first;
    sleep_ms(5);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
    CHECK_EQ(libws_send_text(conn, "late"), LIBWS_ERR_STATE); /* at once, though the loop may not know yet */
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_ERR_STATE);
    do {
        if (peer_read(fd, &first, NULL, 0) < 0) break;
    } while (first != 0x88);
    peer_send(fd, 0x88, reply, 2);
    return NULL;
}

static void sends_after_close(void) {
    int fd = peer_open(begin());
    pthread_t closer;
    CHECK(wait_until(&opened, 1));
    CHECK_EQ(pthread_create(&closer, NULL, close_soon, &fd), 0);
    on_each_thread(send_until_gone, 4);
    pthread_join(closer, NULL);
    CHECK(wait_until(&closed, 1));
    CHECK(saw_gone == 4 && saw_other == 0);
    CHECK_EQ(libws_ready_state(conn), LIBWS_CLOSED);
    close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

/* ---- A queue that fills ---- */

static void full_queue(void) {
    enum { BLOCK = 65536 };
    static char block[BLOCK], out[BLOCK];
    int fd = peer_open(begin()), first, pending = 0, taken = 0;
    int32_t result;
    CHECK(wait_until(&opened, 1));
    while ((result = libws_send(conn, LIBWS_BINARY, block, BLOCK)) >= 0 && taken < 10000) {
        pending += result == LIBWS_PENDING;
        taken++;
    }
    CHECK_EQ(result, LIBWS_ERR_FULL);
    CHECK(pending > 0);
    for (int i = 0; i < taken; i++)
        if (peer_read(fd, &first, out, BLOCK) != BLOCK) {
            CHECK(0 && "every block that was taken arrives");
            break;
        }
    CHECK(wait_until(&drained, 1)); /* more than once if the system took a whole queue meanwhile */
    CHECK(drained <= pending + 1);
    CHECK_EQ(libws_send_text(conn, "room again"), LIBWS_OK);
    CHECK_EQ(peer_read(fd, &first, out, BLOCK), 10); /* and nothing of what was refused */
    close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

/* ---- Publishing ---- */

static void on_news(libws_conn id, const libws_message *message, void *user) {
    (void)id, (void)message;
    ++*(atomic_int *)user;
}
static void *publish_many(void *arg) {
    (void)arg;
    for (int i = 0; i < PUBLISHES; i++) CHECK_EQ(libws_publish(loop, "news", 0, LIBWS_TEXT, "news", 4), LIBWS_OK);
    return NULL;
}

static void publishers(void) {
    const libws_handlers reading = {.struct_size = sizeof reading, .on_message = on_news};
    static atomic_int counts[LISTENERS];
    int port = begin();
    libws_loop receiver = new_loop();
    CHECK_EQ(libws_loop_start(receiver), LIBWS_OK);
    for (int i = 0; i < LISTENERS; i++) connect_to(receiver, port, &reading, &counts[i]);
    CHECK(wait_until(&opened, LISTENERS));
    on_each_thread(publish_many, PUBLISHERS);
    for (int i = 0; i < LISTENERS; i++) CHECK(wait_until(&counts[i], PUBLISHERS * PUBLISHES));
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(libws_loop_free(receiver), LIBWS_OK);
    for (int i = 0; i < LISTENERS; i++) CHECK_EQ(counts[i], PUBLISHERS * PUBLISHES);
}

/* ---- Calls that wait for the loop ---- */

enum { ASKS = 500 };

static libws_listener listener;
static atomic_int beats;

static void beat(libws_loop id, libws_timer timer, void *arg) { (void)id, (void)timer, (void)arg, beats++; }

static void *ask_many(void *arg) {
    int right = 0;
    for (int i = 0; i < ASKS; i++) {
        libws_conn_info info = {.struct_size = sizeof info};
        libws_timer once, never;
        right += libws_info(conn, &info) == LIBWS_OK && info.role == LIBWS_SERVER && info.ready_state == LIBWS_OPEN &&
                 info.listener == listener && strncmp(info.peer, "127.0.0.1:", 10) == 0;
        right += libws_listener_port(listener) == *(int *)libws_user(conn);
        right += libws_timer_start(loop, 0, 0, beat, NULL, &once) == LIBWS_OK;
        right += libws_timer_start(loop, 3600000, 0, beat, NULL, &never) == LIBWS_OK &&
                 libws_timer_stop(never) == LIBWS_OK && libws_timer_stop(never) == LIBWS_ERR_GONE;
    }
    CHECK_EQ(right, 4 * ASKS);
    return arg;
}

static void askers(void) {
    static int port;
    int fd;
    opened = closed = beats = 0;
    loop = new_loop();
    port = listen_on(loop, &serving, &port, NULL, &listener);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    fd = peer_open(port);
    CHECK(wait_until(&opened, 1));
    on_each_thread(ask_many, 4);
    CHECK(wait_until(&beats, 4 * ASKS));
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK(beats == 4 * ASKS && closed == 1);
    close(fd);
}

/* ---- Questions to a loop that starts and stops ---- */

static void *stop_and_start(void *arg) {
    for (int i = 0; i < ASKS; i++) {
        CHECK_EQ(libws_loop_stop(loop), LIBWS_OK);
        while (libws_loop_start(loop) == LIBWS_ERR_STATE) sched_yield(); /* until the thread before has ended */
    }
    return arg;
}

/* Whoever asks in the moment of the stop gets an answer, though nobody may run the loop again. */
static void restless_loop(void) {
    pthread_t thread;
    int port, right = 0;
    loop = new_loop();
    port = listen_on(loop, &serving, NULL, NULL, &listener);
    CHECK_EQ(pthread_create(&thread, NULL, stop_and_start, NULL), 0);
    for (int i = 0; i < 20 * ASKS; i++) right += libws_listener_port(listener) == port;
    pthread_join(thread, NULL);
    CHECK_EQ(right, 20 * ASKS);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

int main(void) {
    check_begin(120);
    many_senders();
    sends_after_close();
    full_queue();
    publishers();
    askers();
    restless_loop();
    return check_end();
}
