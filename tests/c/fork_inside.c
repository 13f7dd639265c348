/* fork() inside a callback: the child comes out of libws_loop_run() with LIBWS_ERR_GONE and has touched nothing; the
 * parent notices nothing. */
#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>

static libws_loop loop;
static pid_t child; /* 0 in the child */
static int in_child;
static atomic_int opened, closed, echoed;

static void on_open(libws_conn conn, void *user) { (void)conn, (void)user, opened++; }
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)info, (void)user;
    closed++;
}

/* "fork" splits the process in two, "stop" ends the run, everything is echoed. */
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    if (memcmp(message->data, "fork", 4) == 0) {
        fflush(stdout);
        child = fork();
        if (child == 0) {
            in_child = 1;
            alarm(30); /* alarms are not inherited */
            CHECK_EQ(libws_send_text(conn, "from the child"), LIBWS_ERR_GONE);
            CHECK_EQ(libws_terminate(conn), LIBWS_ERR_GONE);
            CHECK_EQ(libws_loop_stop(loop), LIBWS_ERR_GONE);
            return;
        }
    }
    CHECK_EQ(libws_send(conn, message->kind, message->data, message->len), LIBWS_OK);
    if (memcmp(message->data, "stop", 4) == 0) CHECK_EQ(libws_loop_stop(loop), LIBWS_OK);
}
static const libws_handlers serving = {
    .struct_size = sizeof serving, .on_open = on_open, .on_message = on_message, .on_close = on_close};

static void greet(libws_conn conn, void *user) { (void)user, libws_send_text(conn, "child"); }
static void leave(libws_conn conn, const libws_message *message, void *user) {
    (void)message, (void)user;
    echoed++;
    libws_close(conn, 1000, NULL);
}

/* The rest of the child's life: a loop of its own works. */
static int live(int32_t result) {
    const libws_handlers calling = {.struct_size = sizeof calling, .on_open = greet, .on_message = leave};
    libws_loop own;
    CHECK_EQ(result, LIBWS_ERR_GONE); /* what the parent's run returned here */
    CHECK_EQ(closed, 0);              /* no on_close for connections that are not ours */
    CHECK_EQ(libws_loop_run(loop), LIBWS_ERR_GONE);
    CHECK_EQ(libws_loop_free(loop), LIBWS_ERR_GONE);
    own = new_loop();
    connect_to(own, listen_on(own, &serving, NULL, NULL, NULL), &calling, NULL);
    CHECK(turn_until(own, &echoed, 1));
    CHECK_EQ(libws_loop_free(own), LIBWS_OK);
    return check_failed != 0;
}

static int echoes(int fd, const char *text) {
    char back[8] = "";
    int first;
    return peer_read(fd, &first, back, sizeof back) == 4 && first == 0x81 && memcmp(back, text, 4) == 0;
}

int main(void) {
    int fds[3], port, status;
    int32_t result;
    check_begin(60);
    loop = new_loop();
    port = listen_on(loop, &serving, NULL, NULL, NULL);
    for (int i = 0; i < 3; i++) fds[i] = open_peer(loop, port);
    CHECK_EQ(opened, 3);
    for (int round = 0; round < 3; round++) {
        int waited;
        peer_send(fds[round], 0x81, "fork", 4);
        peer_send(fds[round], 0x81, "stop", 4); /* read in one go with the other: both processes have it */
        result = libws_loop_run(loop);
        if (in_child) exit(live(result));
        CHECK_EQ(result, LIBWS_OK);
        waited = waitpid(child, &status, 0);
        CHECK(waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(echoes(fds[round], "fork") && echoes(fds[round], "stop"));
    }
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    for (int i = 0; i < 3; i++) { /* the exits of the children have closed nothing here */
        peer_send(fds[i], 0x81, "last", 4);
        CHECK(echoes(fds[i], "last"));
        close(fds[i]);
    }
    CHECK(wait_until(&closed, 3));
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
