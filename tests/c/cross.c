/* Two running loops whose callbacks call into each other: calls that wait for the other loop wait for no callback of
 * ours, so nobody waits for ever. */
#include "support.h"

enum { ROUNDS = 300, STOPS = 60 };

static struct half {
    libws_loop loop;
    libws_listener listener;
    libws_conn conn; /* the server's side, on this loop */
    libws_timer busy;
    struct half *other;
    atomic_int opened, inside, rounds, posted, closed;
} halves[2];

static void on_open(libws_conn conn, void *user) {
    struct half *half = user;
    half->conn = conn;
    half->opened = 1;
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    struct half *half = user;
    (void)conn, (void)info;
    half->closed++;
}
static void count(libws_loop loop, void *arg) {
    struct half *half = arg;
    CHECK_EQ(loop, half->loop);
    half->posted++;
}
static void beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg; }

/* Everything that waits for the other loop, in its timer at the same time as in ours. */
static void call_over(libws_loop loop, libws_timer timer, void *arg) {
    static const libws_handlers none = {.struct_size = sizeof none};
    struct half *half = arg, *other = half->other;
    libws_conn_info info = {.struct_size = sizeof info};
    libws_listener listener;
    libws_timer theirs;
    char url[64];
    half->inside = 1;
    CHECK(loop == half->loop && timer != 0);
    CHECK(libws_info(other->conn, &info) == LIBWS_OK && info.role == LIBWS_SERVER);
    CHECK_EQ(libws_timer_start(other->loop, 3600000, 0, beat, NULL, &theirs), LIBWS_OK);
    CHECK_EQ(libws_timer_stop(theirs), LIBWS_OK);
    CHECK_EQ(libws_timer_stop(theirs), LIBWS_ERR_GONE);
    CHECK_EQ(libws_listen(other->loop, "ws://127.0.0.1:0", &none, NULL, NULL, &listener), LIBWS_OK);
    CHECK(libws_listener_url(listener, url, sizeof url) > 0);
    CHECK_EQ(libws_listener_close(listener), LIBWS_OK);
    CHECK_EQ(libws_subscribe(other->conn, "topic"), LIBWS_OK);
    CHECK_EQ(libws_publish(other->loop, "topic", 0, LIBWS_TEXT, "x", 1), LIBWS_OK);
    CHECK_EQ(libws_unsubscribe(other->conn, "topic"), LIBWS_OK);
    CHECK_EQ(libws_loop_post(other->loop, count, other), LIBWS_OK);
    half->rounds++;
    half->inside = 0;
}

static void begin(struct half *half, struct half *other) {
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_close = on_close};
    const libws_handlers none = {.struct_size = sizeof none};
    half->other = other;
    half->loop = new_loop();
    connect_to(half->loop, listen_on(half->loop, &handlers, half, NULL, &half->listener), &none, NULL);
    CHECK_EQ(libws_loop_start(half->loop), LIBWS_OK);
    CHECK(wait_until(&half->opened, 1));
}

static void start(struct half *half) {
    CHECK_EQ(libws_timer_start(half->loop, 1, 1, call_over, half, &half->busy), LIBWS_OK);
}

/* From a third thread, while they are at it: when this returns, the call is over, though it answers the other loop. */
static void stop(struct half *half) {
    CHECK_EQ(libws_timer_stop(half->busy), LIBWS_OK);
    CHECK_EQ(half->inside, 0);
}

int main(void) {
    struct half *left = &halves[0], *right = &halves[1];
    check_begin(120);
    begin(left, right);
    begin(right, left);
    for (int i = 1; i <= STOPS; i++) {
        start(left);
        start(right);
        CHECK(wait_until(&left->rounds, i * ROUNDS / STOPS) && wait_until(&right->rounds, i * ROUNDS / STOPS));
        stop(left);
        stop(right);
    }
    CHECK_EQ(libws_loop_free(left->loop), LIBWS_OK);
    CHECK_EQ(libws_loop_free(right->loop), LIBWS_OK);
    for (int i = 0; i < 2; i++) CHECK(halves[i].posted == halves[i].other->rounds && halves[i].closed == 1);
    return check_end();
}
