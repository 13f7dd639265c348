/* The peer closes or resets while much is being sent: with the default SIGPIPE a careless write would end this process. */
#include "support.h"

#include <signal.h>

static atomic_int opened, closed;
static libws_conn conn;
static char block[1 << 20];

static void on_open(libws_conn id, void *user) {
    (void)user;
    conn = id;
    opened++;
}
static void on_close(libws_conn id, const libws_close_info *info, void *user) {
    (void)id, (void)user;
    CHECK(info->code == 1006 && !info->was_clean);
    closed++;
}

/* One write of much, one of a little, or one of many small messages that lie in one queue. */
static void send_kind(int kind) {
    if (kind < 2) libws_send(conn, LIBWS_BINARY, block, kind ? 100 : sizeof block);
    else for (int i = 0; i < 200; i++) libws_send(conn, LIBWS_BINARY, block, 1000);
}

int main(void) {
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_close = on_close};
    struct sigaction action;
    libws_loop loop = new_loop();
    int port;
    check_begin(60);
    signal(SIGPIPE, SIG_DFL);
    port = listen_on(loop, &handlers, NULL, NULL, NULL);
    for (int round = 0; round < 24; round++) {
        int fd = open_peer(loop, port);
        CHECK_EQ(opened, round + 1);
        if (round % 2) libws_pause(conn, 1); /* then only writing tells that the peer is gone */
        if (round % 4 < 2) close(fd);
        else peer_reset(fd);
        for (int i = 0; i < 4; i++) {
            send_kind(round / 4 % 3);
            libws_loop_run_once(loop, 0);
        }
        CHECK(turn_until(loop, &closed, round + 1));
    }
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL); /* left as it was */
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
