/* The life of loops: run, stop, start, post, timers, listeners, two loops at once. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

/* ---- Run and stop ---- */

static atomic_int posted, beats, listener_closed, closed, echoed;
static libws_loop current;

static void count_post(libws_loop loop, void *arg) { (void)loop, (void)arg, posted++; }
static void post_stop(libws_loop loop, void *arg) {
    (void)arg;
    posted++;
    CHECK_EQ(libws_loop_stop(loop), LIBWS_OK);
}
static void on_alarm(int number) { (void)number, libws_loop_stop(current); }
static void never_beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg, beats++; }

static void run_and_stop(void) {
    libws_loop loop = new_loop();
    libws_timer timer;
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK); /* nothing to wait for */
    CHECK_EQ(libws_loop_post(loop, count_post, NULL), LIBWS_OK);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK);
    CHECK_EQ(posted, 1);
    CHECK_EQ(libws_timer_start(loop, 3600000, 0, never_beat, NULL, &timer), LIBWS_OK);
    CHECK_EQ(libws_loop_post(loop, post_stop, NULL), LIBWS_OK);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK); /* ends by the stop, not by the timer */
    CHECK_EQ(posted, 2);
    CHECK_EQ(libws_loop_stop(loop), LIBWS_OK);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK); /* a stop before the run counts */
    current = loop;
    signal(SIGUSR1, on_alarm);
    CHECK_EQ(libws_loop_post(loop, count_post, NULL), LIBWS_OK);
    raise(SIGUSR1);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(posted, 3); /* whether in the run or in the free */
    CHECK_EQ(libws_loop_run(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_timer_stop(timer), LIBWS_ERR_GONE);
    CHECK_EQ(beats, 0);
}

static void *run_it(void *arg) {
    CHECK_EQ(libws_loop_run(*(libws_loop *)arg), LIBWS_OK);
    return NULL;
}

/* A signal that comes while the loop sleeps. */
static void stop_by_signal(void) {
    libws_loop loop = current = new_loop();
    pthread_t thread;
    int32_t freed;
    CHECK_EQ(libws_timer_start(loop, 3600000, 0, never_beat, NULL, NULL), LIBWS_OK);
    posted = 0;
    CHECK_EQ(libws_loop_post(loop, count_post, NULL), LIBWS_OK);
    CHECK_EQ(pthread_create(&thread, NULL, run_it, &loop), 0);
    CHECK(wait_until(&posted, 1));
    freed = libws_loop_free(loop);
    CHECK_EQ(freed, LIBWS_ERR_STATE); /* another thread is in libws_loop_run */
    CHECK_EQ(libws_loop_start(loop), LIBWS_ERR_STATE);
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

static void start_ten_thousand_times(void) {
    libws_loop loop = new_loop();
    int before = count_fds();
    for (int i = 0; i < 10000; i++) {
        if (libws_loop_start(loop) != LIBWS_OK || libws_loop_stop(loop) != LIBWS_OK) {
            CHECK(0 && "start and stop");
            break;
        }
        while (libws_loop_run_once(loop, 0) == LIBWS_ERR_THREAD) sched_yield(); /* until the thread has ended */
    }
    CHECK_EQ(count_fds(), before);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    before = count_fds();
    for (int i = 0; i < 200; i++) {
        loop = new_loop();
        if (i % 2) CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
        CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    }
    CHECK_EQ(count_fds(), before);
}

/* ---- Posts ---- */

enum { POSTERS = 4, POSTS = 1000 };

static void *post_many(void *arg) {
    for (int i = 0; i < POSTS; i++) CHECK_EQ(libws_loop_post(*(libws_loop *)arg, count_post, NULL), LIBWS_OK);
    return NULL;
}

/* Some run on the loop's thread, the rest inside the free: each once. */
static void posts(void) {
    libws_loop loop = new_loop();
    pthread_t threads[POSTERS];
    posted = 0;
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    for (int i = 0; i < POSTERS; i++) pthread_create(&threads[i], NULL, post_many, &loop);
    for (int i = 0; i < POSTERS; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(posted, POSTERS * POSTS);
    CHECK_EQ(libws_loop_post(loop, count_post, NULL), LIBWS_ERR_GONE);
    loop = new_loop();
    CHECK_EQ(libws_loop_post(loop, count_post, NULL), LIBWS_OK);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(posted, POSTERS * POSTS + 1);
}

/* ---- Timers ---- */

static void beat_thrice(libws_loop loop, libws_timer timer, void *arg) {
    atomic_int *count = arg;
    (void)loop;
    if (++*count < 3) return;
    CHECK_EQ(libws_timer_stop(timer), LIBWS_OK); /* inside its own call */
    CHECK_EQ(libws_timer_stop(timer), LIBWS_ERR_GONE);
}
static void beat(libws_loop loop, libws_timer timer, void *arg) {
    (void)loop, (void)timer;
    ++*(atomic_int *)arg;
}

static void timers(void) {
    libws_loop loop = new_loop();
    libws_timer once, every, fast;
    atomic_int one = 0, three = 0, many = 0;
    int seen;
    CHECK_EQ(libws_timer_start(loop, 1, 0, beat, &one, &once), LIBWS_OK);
    CHECK_EQ(libws_timer_start(loop, 0, 1, beat_thrice, &three, &every), LIBWS_OK);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK); /* ends when both are gone */
    CHECK(one == 1 && three == 3);
    CHECK_EQ(libws_timer_stop(once), LIBWS_ERR_GONE);
    CHECK_EQ(libws_timer_stop(every), LIBWS_ERR_GONE);

    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    CHECK_EQ(libws_timer_start(loop, 0, 1, beat, &many, &fast), LIBWS_OK); /* from another thread */
    CHECK(wait_until(&many, 3));
    CHECK_EQ(libws_timer_stop(fast), LIBWS_OK);
    seen = many;
    sleep_ms(30);
    CHECK_EQ(many, seen); /* stopped when the call returned */
    CHECK_EQ(libws_timer_stop(fast), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

/* ---- Listeners, and two loops that talk ---- */

static void on_listener_close(libws_listener listener, void *user) {
    (void)listener, (void)user;
    CHECK_EQ(closed, 1); /* after the last on_close */
    listener_closed++;
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)user;
    CHECK(info->was_clean && listener_closed == 0);
    closed++;
}
static void echo(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    CHECK_EQ(libws_send(conn, message->kind, message->data, message->len), LIBWS_OK);
}
static void send_first(libws_conn conn, void *user) { (void)user, libws_send_text(conn, "to and fro"); }
static void came_back(libws_conn conn, const libws_message *message, void *user) {
    CHECK(message->len == 10 && memcmp(message->data, "to and fro", 10) == 0);
    if (++echoed < 100) libws_send_text(conn, "to and fro");
    (void)user;
}

static void talk(int loops) {
    const libws_handlers serving = {.struct_size = sizeof serving, .on_message = echo, .on_close = on_close,
                                    .on_listener_close = on_listener_close};
    const libws_handlers calling = {.struct_size = sizeof calling, .on_open = send_first, .on_message = came_back};
    libws_loop here = new_loop(), there = loops == 2 ? new_loop() : here;
    libws_listener listener;
    libws_conn conn;
    int port = listen_on(there, &serving, NULL, NULL, &listener);
    closed = listener_closed = echoed = 0;
    if (loops == 2) CHECK_EQ(libws_loop_start(there), LIBWS_OK);
    conn = connect_to(here, port, &calling, NULL);
    CHECK(turn_until(here, &echoed, 100));
    CHECK_EQ(libws_listener_close(listener), LIBWS_OK);
    CHECK_EQ(libws_listener_close(listener), LIBWS_ERR_GONE);
    CHECK(peer_connect(port) < 0); /* not listening any more */
    CHECK_EQ(libws_send_text(conn, "to and fro"), LIBWS_OK); /* but the connection lives */
    CHECK(turn_until(here, &echoed, 101));
    CHECK_EQ(listener_closed, 0);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
    CHECK(turn_until(here, &listener_closed, 1));
    CHECK_EQ(libws_loop_free(here), LIBWS_OK);
    if (loops == 2) CHECK_EQ(libws_loop_free(there), LIBWS_OK);
    CHECK(closed == 1 && listener_closed == 1);
}

int main(void) {
    check_begin(120);
    run_and_stop();
    stop_by_signal();
    start_ten_thousand_times();
    posts();
    timers();
    talk(1);
    talk(2);
    return check_end();
}
