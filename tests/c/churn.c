/* 10,000 connections come and go, half of them rudely: neither descriptors nor memory are left behind. */
#include "support.h"

#include <sys/socket.h>

enum { ROUNDS = 10, ROUND = 1000, GROWTH_KB = 1024 };

static atomic_int opened, closed, client_closed;
static libws_loop loop;
static int port;

static void on_open(libws_conn conn, void *user) {
    (void)user;
    opened++;
    CHECK_EQ(libws_send_text(conn, "hello"), LIBWS_OK);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)info, (void)user;
    closed++;
}
static void on_client_message(libws_conn conn, const libws_message *message, void *user) {
    (void)message, (void)user;
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
}
static void on_client_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)user;
    CHECK(info->was_clean);
    client_closed++;
}

/* Memory of this process that is in RAM, in KiB; 0 if the system does not tell. */
static long resident_kb(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void polite(void) {
    static const libws_handlers calling = {
        .struct_size = sizeof calling, .on_message = on_client_message, .on_close = on_client_close};
    int before = client_closed;
    connect_to(loop, port, &calling, NULL);
    CHECK(wait_until(&client_closed, before + 1));
}

/* A raw peer that leaves in one of five ways; returns whether it got as far as on_open. */
static int rude(int number) {
    int how = number % 5, fd = how == 0 ? peer_connect(port) : peer_open(port);
    CHECK(fd >= 0);
    if (how == 0) peer_ask_for(fd, "GET / HTTP/1.1\r\nHost: 127"); /* in the middle of its handshake */
    if (how == 1) peer_write(fd, "\x81\x85\1\2\3\4x", 7);            /* in the middle of a frame */
    if (how == 2) peer_write(fd, "\xff\xff\xff\xff", 4);             /* after breaking the protocol */
    if (how == 3) shutdown(fd, SHUT_WR);
    if (how == 4) peer_reset(fd);
    else close(fd);
    return how != 0;
}

/* Half of a round is polite, half is rude; it ends when the server has seen everybody go. */
static void play(int cycles) {
    int expected = closed;
    for (int i = 0; i < cycles / 2; i++) {
        polite();
        expected += 1 + rude(i);
    }
    CHECK(wait_until(&closed, expected));
    CHECK(closed == expected && opened == closed);
}

int main(void) {
    const libws_handlers serving = {.struct_size = sizeof serving, .on_open = on_open, .on_close = on_close};
    int fds, waited = 0;
    long before, after;
    check_begin(180);
    loop = new_loop();
    port = listen_on(loop, &serving, NULL, NULL, NULL);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    fds = count_fds();
    play(ROUND); /* the first round grows the tables that the others use again */
    before = resident_kb();
    for (int i = 1; i < ROUNDS; i++) play(ROUND);
    after = resident_kb();
    while (count_fds() > fds && waited++ < WAIT_MS) sleep_ms(1); /* half-made handshakes go unannounced */
    printf("%d cycles: %d descriptors before, %d after; %ld KiB after the first %d, %ld KiB after all\n",
           ROUNDS * ROUND, fds, count_fds(), before, ROUND, after);
    CHECK_EQ(count_fds(), fds);
    CHECK(after <= before + GROWTH_KB);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(opened, closed);
    return check_end();
}
