/* A program with a poll() of its own drives the loop through its descriptor, its timeout and single turns. */
#include "support.h"

#include <poll.h>

static atomic_int echoed, beats;

static void echo(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    libws_send(conn, message->kind, message->data, message->len);
}
static void start(libws_conn conn, void *user) { (void)user, libws_send_text(conn, "ball"); }
static void again(libws_conn conn, const libws_message *message, void *user) {
    (void)message, (void)user;
    if (++echoed < 1000) libws_send_text(conn, "ball");
    else libws_close(conn, 1000, NULL);
}
static void beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg, beats++; }

int main(void) {
    const libws_handlers serving = {.struct_size = sizeof serving, .on_message = echo};
    const libws_handlers calling = {.struct_size = sizeof calling, .on_open = start, .on_message = again};
    libws_loop loop = new_loop();
    struct pollfd poller = {.events = POLLIN};
    int turns = 0;
    int32_t ms;
    check_begin(60);
    CHECK_EQ(libws_loop_timeout(loop, &ms), LIBWS_OK);
    CHECK_EQ(ms, -1); /* nothing to do, ever */
    connect_to(loop, listen_on(loop, &serving, NULL, NULL, NULL), &calling, NULL);
    CHECK_EQ(libws_timer_start(loop, 1, 5, beat, NULL, NULL), LIBWS_OK);
    poller.fd = libws_loop_fd(loop);
    CHECK(poller.fd > 0);
    while ((echoed < 1000 || beats < 3) && turns < 100000) {
        CHECK(libws_loop_timeout(loop, &ms) == LIBWS_OK && ms >= -1);
        poll(&poller, 1, ms);
        CHECK_EQ(libws_loop_run_once(loop, 0), LIBWS_OK);
        turns++;
    }
    CHECK(echoed == 1000 && beats >= 3);
    CHECK(turns < 20000); /* it waits in poll() and does not spin */
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
