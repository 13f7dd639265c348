/* A signal every millisecond interrupts the sleep of the loop and every other system call; nobody notices. */
#include "support.h"

#include <signal.h>
#include <time.h>

enum { ROUNDS = 2000 };

static atomic_int ticks, echoed, woken;
static int port;

static void on_tick(int number) { (void)number, ticks++; }
static void echo(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    CHECK_EQ(libws_send(conn, message->kind, message->data, message->len), LIBWS_OK);
}
static void start(libws_conn conn, void *user) { (void)user, libws_send_text(conn, "tick"); }
static void again(libws_conn conn, const libws_message *message, void *user) {
    CHECK(message->len == 4 && memcmp(message->data, "tick", 4) == 0);
    (void)user;
    if (++echoed < ROUNDS) libws_send_text(conn, "tick");
    else libws_close(conn, 1000, NULL);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    CHECK(info->was_clean && info->code == 1000);
    libws_loop_stop(*(libws_loop *)user);
}

/* Until this timer the loop sleeps, as long as the signals let it. */
static void wake(libws_loop loop, libws_timer timer, void *arg) {
    static const libws_handlers calling = {
        .struct_size = sizeof calling, .on_open = start, .on_message = again, .on_close = on_close};
    (void)timer;
    CHECK(ticks > 10 && woken == 0);
    woken++;
    connect_to(loop, port, &calling, arg);
}

int main(void) {
    const libws_handlers serving = {.struct_size = sizeof serving, .on_message = echo};
    const struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    struct sigaction action = {.sa_handler = on_tick}; /* without SA_RESTART */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    libws_loop loop = new_loop();
    timer_t timer;
    check_begin(60);
    port = listen_on(loop, &serving, NULL, NULL, NULL);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(libws_timer_start(loop, 200, 0, wake, &loop, NULL), LIBWS_OK);
    CHECK_EQ(timer_settime(timer, 0, &every, NULL), 0);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK); /* ends by the stop alone */
    CHECK_EQ(timer_delete(timer), 0);
    CHECK(woken == 1 && echoed == ROUNDS);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
