/* fork(): in the child all ids of the parent are gone and touching them harms nothing; the parent's connections live
 * on, and the child can make a loop of its own. */
#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>

enum { CONNECTIONS = 100 };

static libws_loop loop;
static libws_listener listener;
static libws_timer timer;
static libws_conn conns[CONNECTIONS];
static atomic_int opened, echoed;

static void on_open(libws_conn conn, void *user) {
    (void)user;
    conns[opened] = conn;
    opened++;
}
static void echo(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    CHECK_EQ(libws_send(conn, message->kind, message->data, message->len), LIBWS_OK);
}
static void greet(libws_conn conn, void *user) { (void)user, libws_send_text(conn, "child"); }
static void leave(libws_conn conn, const libws_message *message, void *user) {
    (void)message, (void)user;
    echoed++;
    libws_close(conn, 1000, NULL);
}
static void nothing(libws_loop id, libws_timer beat, void *arg) { (void)id, (void)beat, (void)arg; }
static void nothing_posted(libws_loop id, void *arg) { (void)id, (void)arg; }
static const libws_handlers serving = {.struct_size = sizeof serving, .on_open = on_open, .on_message = echo};

static void all_gone(void) {
    libws_conn_info info = {.struct_size = sizeof info};
    char url[64];
    int32_t ms;
    for (int i = 0; i < CONNECTIONS; i++) {
        CHECK_EQ(libws_send_text(conns[i], "from the child"), LIBWS_ERR_GONE);
        CHECK_EQ(libws_ping(conns[i], NULL, 0), LIBWS_ERR_GONE);
        CHECK_EQ(libws_pause(conns[i], 1), LIBWS_ERR_GONE);
        CHECK_EQ(libws_subscribe(conns[i], "topic"), LIBWS_ERR_GONE);
        CHECK_EQ(libws_info(conns[i], &info), LIBWS_ERR_GONE);
        CHECK_EQ(libws_buffered_amount(conns[i]), LIBWS_ERR_GONE);
        CHECK_EQ(libws_ready_state(conns[i]), LIBWS_CLOSED);
        CHECK(libws_user(conns[i]) == NULL);
        CHECK_EQ(libws_close(conns[i], 1000, NULL), LIBWS_ERR_GONE);
        CHECK_EQ(libws_terminate(conns[i]), LIBWS_ERR_GONE);
    }
    CHECK_EQ(libws_publish(loop, "topic", 0, LIBWS_TEXT, "x", 1), LIBWS_ERR_GONE);
    CHECK_EQ(libws_timer_stop(timer), LIBWS_ERR_GONE);
    CHECK_EQ(libws_timer_start(loop, 1, 1, nothing, NULL, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(libws_listener_port(listener), LIBWS_ERR_GONE);
    CHECK_EQ(libws_listener_url(listener, url, sizeof url), LIBWS_ERR_GONE);
    CHECK_EQ(libws_listener_close(listener), LIBWS_ERR_GONE);
    CHECK_EQ(libws_listen(loop, "ws://127.0.0.1:0", &serving, NULL, NULL, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(libws_connect(loop, "ws://127.0.0.1:9/", &serving, NULL, NULL, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_post(loop, nothing_posted, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_fd(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_timeout(loop, &ms), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_run_once(loop, 0), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_run(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_start(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_stop(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_free(loop), LIBWS_ERR_GONE);
}

/* The whole life of the child; its failures are its exit status. */
static int child(void) {
    const libws_handlers calling = {.struct_size = sizeof calling, .on_open = greet, .on_message = leave};
    libws_loop own;
    alarm(30); /* alarms are not inherited */
    all_gone();
    own = new_loop();
    connect_to(own, listen_on(own, &serving, NULL, NULL, NULL), &calling, NULL);
    opened = 0;
    CHECK(turn_until(own, &echoed, 1));
    CHECK_EQ(libws_loop_free(own), LIBWS_OK);
    CHECK_EQ(libws_loop_free(loop), LIBWS_ERR_GONE);
    return check_failed != 0;
}

/* Whether every one of the parent's connections still echoes. */
static void all_echo(const int *fds) {
    char text[8];
    int first, right = 0;
    for (int i = 0; i < CONNECTIONS; i++) peer_send(fds[i], 0x81, "parent", 6);
    for (int i = 0; i < CONNECTIONS; i++)
        right += peer_read(fds[i], &first, text, sizeof text) == 6 && first == 0x81 && memcmp(text, "parent", 6) == 0;
    CHECK_EQ(right, CONNECTIONS);
}

static void run_child(void) {
    int status;
    pid_t pid;
    fflush(stdout);
    pid = fork();
    if (pid == 0) exit(child());
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    int fds[CONNECTIONS], port;
    check_begin(60);
    loop = new_loop();
    port = listen_on(loop, &serving, NULL, NULL, &listener);
    CHECK_EQ(libws_timer_start(loop, 3600000, 0, nothing, NULL, &timer), LIBWS_OK);
    for (int i = 0; i < CONNECTIONS; i++) fds[i] = open_peer(loop, port);
    CHECK_EQ(opened, CONNECTIONS);
    run_child(); /* of a loop that does not run */
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    all_echo(fds);
    run_child(); /* of a loop that runs on another thread */
    all_echo(fds);
    CHECK_EQ(libws_ready_state(conns[0]), LIBWS_OPEN);
    for (int i = 0; i < CONNECTIONS; i++) close(fds[i]);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
