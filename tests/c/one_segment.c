/* 100 messages come in one piece of TCP, and the third callback changes its mind: the others wait, or are dropped. */
#include "support.h"

enum { MESSAGES = 100, THIRD = 3 };

static libws_loop loop;
static libws_listener listener;
static atomic_int received, closed;
static int32_t (*third)(libws_conn conn);
static libws_conn conn;

static void on_message(libws_conn id, const libws_message *message, void *user) {
    const unsigned char *data = message->data;
    (void)user;
    conn = id;
    CHECK(message->len == 1 && data[0] == received && closed == 0); /* in order, none twice */
    if (++received == THIRD) CHECK_EQ(third(id), LIBWS_OK);
}
static void on_close(libws_conn id, const libws_close_info *info, void *user) {
    (void)id, (void)info, (void)user;
    closed++;
}

static int32_t pause_it(libws_conn id) { return libws_pause(id, 1); }
static int32_t close_it(libws_conn id) { return libws_close(id, 1000, NULL); }
static int32_t stop_loop(libws_conn id) { return (void)id, libws_loop_stop(loop); }
static int32_t stop_listening(libws_conn id) { return (void)id, libws_listener_close(listener); }

/* Opens a raw peer and sends everything at once. */
static int begin(int32_t (*in_third)(libws_conn)) {
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_message = on_message, .on_close = on_close};
    unsigned char segment[MESSAGES * 16];
    size_t len = 0;
    int fd;
    received = closed = 0;
    third = in_third;
    loop = new_loop();
    fd = open_peer(loop, listen_on(loop, &handlers, NULL, NULL, &listener));
    for (unsigned char i = 0; i < MESSAGES; i++) len += peer_frame(segment + len, 0x82, &i, 1);
    CHECK_EQ(peer_write(fd, segment, len), 0);
    return fd;
}

static void end(int fd) {
    close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(closed, 1);
}

int main(void) {
    int fd, first, ms;
    char frame[16];
    check_begin(60);

    fd = begin(pause_it);
    turn_idle(loop);
    CHECK_EQ(received, THIRD);
    CHECK(libws_loop_timeout(loop, &ms) == LIBWS_OK && ms != 0); /* a paused loop sleeps */
    CHECK_EQ(libws_pause(conn, 0), LIBWS_OK);
    CHECK(turn_until(loop, &received, MESSAGES)); /* though nothing more arrives on the socket */
    end(fd);

    fd = begin(close_it);
    turn_idle(loop);
    CHECK_EQ(received, THIRD);
    CHECK(peer_read(fd, &first, frame, sizeof frame) == 2 && first == 0x88);
    CHECK_EQ(peer_send(fd, 0x88, "\3\350", 2), 0);
    CHECK(turn_until(loop, &closed, 1));
    CHECK_EQ(received, THIRD);
    end(fd);

    fd = begin(libws_terminate);
    CHECK(turn_until(loop, &closed, 1));
    CHECK_EQ(received, THIRD);
    CHECK(peer_read(fd, &first, frame, sizeof frame) < 0); /* no Close frame */
    end(fd);

    fd = begin(stop_loop);
    CHECK_EQ(libws_loop_run(loop), LIBWS_OK);
    CHECK(received >= THIRD);
    CHECK(turn_until(loop, &received, MESSAGES));
    end(fd);

    fd = begin(stop_listening); /* open connections live on */
    CHECK(turn_until(loop, &received, MESSAGES));
    CHECK_EQ(libws_listener_port(listener), LIBWS_ERR_GONE);
    CHECK_EQ(closed, 0);
    end(fd);
    return check_end();
}
