/* Every connection gets exactly one on_close, last, with the truth in it. */
#include "support.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* What one side has seen, and what it does in its callbacks. */
struct side {
    atomic_int opened, messages, closed;
    libws_close_info info; /* of on_close; its pointers are dead, the texts are below */
    char reason[128], detail[256];
    void (*at_open)(libws_conn conn), (*at_message)(libws_conn conn), (*at_close)(libws_conn conn);
};

static void on_open(libws_conn conn, void *user) {
    struct side *side = user;
    CHECK(side->opened++ == 0 && side->closed == 0);
    CHECK_EQ(libws_ready_state(conn), LIBWS_OPEN);
    if (side->at_open) side->at_open(conn);
}
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    struct side *side = user;
    (void)message;
    CHECK(side->opened == 1 && side->closed == 0);
    side->messages++;
    if (side->at_message) side->at_message(conn);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    struct side *side = user;
    CHECK(side->closed == 0 && info->struct_size == sizeof *info);
    CHECK_EQ(info->was_open, side->opened);
    CHECK_EQ(strlen(info->reason), info->reason_len);
    CHECK_EQ(libws_ready_state(conn), LIBWS_CLOSED);
    side->info = *info;
    snprintf(side->reason, sizeof side->reason, "%s", info->reason);
    snprintf(side->detail, sizeof side->detail, "%s", info->detail);
    side->closed++;
    if (side->at_close) side->at_close(conn);
}
static const libws_handlers handlers = {
    .struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message, .on_close = on_close};

/* Of connections that share a listener. */
static atomic_int pairs_opened, pairs_closed;

static void count_open(libws_conn conn, void *user) { (void)conn, (void)user, pairs_opened++; }
static void count_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)info, (void)user;
    pairs_closed++;
}
static const libws_handlers counting = {
    .struct_size = sizeof counting, .on_open = count_open, .on_close = count_close};

static struct side server, client;
static libws_loop loop;
static libws_listener listener;
static int port;

static void begin(void) {
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    loop = new_loop();
    port = listen_on(loop, &handlers, &server, NULL, &listener);
}

/* Ends the scene; nothing more may come. */
static void end(void) {
    int closed = server.closed + client.closed;
    turn_idle(loop);
    CHECK_EQ(server.closed + client.closed, closed);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(server.closed + client.closed, closed);
}

static void says(const struct side *side, int code, int sent, int clean, int error) {
    CHECK_EQ(side->closed, 1);
    CHECK_EQ(side->info.code, code);
    CHECK_EQ(side->info.sent_code, sent);
    CHECK_EQ(side->info.was_clean, clean);
    CHECK_EQ(side->info.error, error);
}

/* ---- Between two of ours ---- */

static void close_3001(libws_conn conn) { CHECK_EQ(libws_close(conn, 3001, "bye"), LIBWS_OK); }
static void close_empty(libws_conn conn) { CHECK_EQ(libws_close(conn, 0, NULL), LIBWS_OK); }
static void end_now(libws_conn conn) { CHECK_EQ(libws_terminate(conn), LIBWS_OK); }
static void say_hello(libws_conn conn) { CHECK_EQ(libws_send_text(conn, "hello"), LIBWS_OK); }
static void close_too_late(libws_conn conn) {
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_ERR_STATE);
    CHECK_EQ(libws_terminate(conn), LIBWS_ERR_STATE);
}

/* Client and server on one loop; the client says hello unless told otherwise. */
static void meet(void) {
    if (!client.at_open) client.at_open = say_hello;
    connect_to(loop, port, &handlers, &client);
    CHECK(turn_until(loop, &server.closed, 1) && turn_until(loop, &client.closed, 1));
}

static void clean_closes(void) {
    begin(); /* the server, inside on_message */
    server.at_message = close_3001;
    server.at_close = client.at_close = close_too_late;
    meet();
    says(&server, 3001, 3001, 1, LIBWS_OK);
    says(&client, 3001, 3001, 1, LIBWS_OK);
    CHECK(strcmp(client.reason, "bye") == 0);
    end();

    begin(); /* the client, inside on_open */
    client.at_open = close_3001;
    meet();
    says(&server, 3001, 3001, 1, LIBWS_OK);
    says(&client, 3001, 3001, 1, LIBWS_OK);
    CHECK(strcmp(server.reason, "bye") == 0);
    end();

    begin(); /* the server, inside on_open, without a code */
    server.at_open = close_empty;
    meet();
    says(&server, 1005, 1005, 1, LIBWS_OK);
    says(&client, 1005, 1005, 1, LIBWS_OK);
    end();
}

static void terminates(void) {
    begin();
    server.at_message = end_now;
    meet();
    CHECK(server.info.code == 1006 && server.info.sent_code == 0 && !server.info.was_clean);
    CHECK(client.info.code == 1006 && !client.info.was_clean && client.info.error != LIBWS_OK);
    end();

    begin(); /* on_open is the first callback; on_close follows it */
    client.at_open = end_now;
    meet();
    CHECK(client.info.code == 1006 && client.info.was_open && !client.info.was_clean);
    end();
}

/* 25 pairs, so 50 connections; the loop runs on a thread of its own or not at all. */
static void free_with_open_connections(int on_thread) {
    enum { PAIRS = 25 };
    static struct side sides[PAIRS];
    libws_conn conns[PAIRS];
    memset(sides, 0, sizeof sides);
    pairs_opened = pairs_closed = 0;
    loop = new_loop();
    port = listen_on(loop, &counting, NULL, NULL, NULL);
    for (int i = 0; i < PAIRS; i++) conns[i] = connect_to(loop, port, &handlers, &sides[i]);
    if (on_thread) CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    CHECK(on_thread ? wait_until(&pairs_opened, PAIRS) : turn_until(loop, &pairs_opened, PAIRS));
    for (int i = 0; i < PAIRS; i++)
        CHECK(on_thread ? wait_until(&sides[i].opened, 1) : turn_until(loop, &sides[i].opened, 1));
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK(pairs_opened == PAIRS && pairs_closed == PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(sides[i].closed, 1);
        CHECK_EQ(libws_send_text(conns[i], "late"), LIBWS_ERR_GONE);
    }
    CHECK_EQ(libws_loop_free(loop), LIBWS_ERR_GONE);
}

/* ---- Connects that come to nothing ---- */

static void close_while_connecting(void) {
    libws_conn conn;
    begin();
    conn = connect_to(loop, port, &handlers, &client);
    CHECK_EQ(libws_ready_state(conn), LIBWS_CONNECTING);
    CHECK_EQ(libws_send_text(conn, "early"), LIBWS_ERR_STATE);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
    CHECK(turn_until(loop, &client.closed, 1));
    CHECK(client.info.code == 1006 && !client.info.was_open && !client.info.was_clean);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_ERR_GONE);
    end();
}

static void refused(void) {
    begin();
    CHECK_EQ(libws_listener_close(listener), LIBWS_OK);
    turn_idle(loop);
    connect_to(loop, port, &handlers, &client);
    CHECK(turn_until(loop, &client.closed, 1));
    CHECK(client.info.code == 1006 && !client.info.was_open && client.info.error == LIBWS_ERR_IO);
    CHECK(strlen(client.detail) > 0);
    end();
}

/* A label over 63 bytes (RFC 1035) and a domain that never exists (RFC 6761): no resolver asks anybody for that. */
static void unresolvable(void) {
    static const char url[] =
        "ws://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.invalid:9/";
    libws_conn conn;
    begin();
    CHECK_EQ(libws_connect(loop, url, &handlers, &client, NULL, &conn), LIBWS_OK);
    CHECK(turn_until(loop, &client.closed, 1));
    CHECK(client.info.code == 1006 && !client.info.was_open && client.info.error == LIBWS_ERR_ADDRESS);
    CHECK_EQ(libws_terminate(conn), LIBWS_ERR_GONE);
    end();
}

static int listening_socket(int *out_port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4) || getsockname(fd, (struct sockaddr *)&address, &len))
        perror("listen");
    *out_port = ntohs(address.sin_port);
    return fd;
}

/* A server that gives this answer and closes. */
static void answered_with(const char *answer, int error, const char *detail) {
    int fd = listening_socket(&port), peer;
    memset(&client, 0, sizeof client);
    loop = new_loop();
    connect_to(loop, port, &handlers, &client);
    turn_idle(loop);
    peer = accept(fd, NULL, NULL);
    peer_write(peer, answer, strlen(answer));
    shutdown(peer, SHUT_WR);
    CHECK(turn_until(loop, &client.closed, 1));
    CHECK_EQ(client.info.code, 1006);
    CHECK_EQ(client.info.error, error);
    if (!strstr(client.detail, detail)) printf("\"%s\": \"%s\"\n", answer, client.detail);
    CHECK(strstr(client.detail, detail) != NULL);
    close(peer);
    close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

/* A peer that goes without a Close, or in the middle of a frame; with a FIN or a RST. */
static void peer_goes(const void *last, size_t len, int reset) {
    int fd;
    begin();
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    fd = peer_open(port);
    CHECK(wait_until(&server.opened, 1));
    peer_write(fd, last, len);
    if (reset) peer_reset(fd);
    else close(fd);
    CHECK(wait_until(&server.closed, 1));
    CHECK(server.info.code == 1006 && server.info.was_open && !server.info.was_clean && server.info.error != LIBWS_OK);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(server.closed, 1);
}

int main(void) {
    check_begin(120);
    clean_closes();
    terminates();
    free_with_open_connections(0);
    free_with_open_connections(1);
    close_while_connecting();
    refused();
    unresolvable();
    answered_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", LIBWS_ERR_HANDSHAKE, "200");
    answered_with("HTTP/1.1 403 Forbidden\r\n\r\n", LIBWS_ERR_HANDSHAKE, "HTTP 403");
    answered_with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", LIBWS_ERR_HANDSHAKE, "");
    answered_with("220 mail.example ESMTP\r\n", LIBWS_ERR_HANDSHAKE, "");
    for (int reset = 0; reset < 2; reset++) {
        peer_goes("", 0, reset);
        peer_goes("\x81", 1, reset);
        peer_goes("\x81\x85\1\2\3\4x", 7, reset);
    }
    return check_end();
}
