/* permessage-deflate through the C API: what is agreed, and how each message is marked, both ways and over a topic. */
#include "support.h"

#include <stdlib.h>

enum { LEN = 4000 };
static char prose[LEN];
static libws_loop loop;
static atomic_int at_server, at_client, closed;
static uint32_t server_flags[8], client_flags[8]; /* of the messages, in their order */
static int32_t agreed;

static void record(const libws_message *message, uint32_t *flags, atomic_int *count) {
    CHECK(message->len == LEN ? memcmp(message->data, prose, LEN) == 0 : message->len == 3);
    CHECK_EQ(message->struct_size, sizeof *message);
    if (*count < 8) flags[*count] = message->flags;
    (*count)++;
}
static void on_server_open(libws_conn conn, void *user) {
    (void)user;
    CHECK_EQ(libws_subscribe(conn, "all"), LIBWS_OK);
}
static void on_server_message(libws_conn conn, const libws_message *message, void *user) {
    int32_t kind = message->kind;
    (void)user;
    record(message, server_flags, &at_server);
    if (at_server == 2) kind |= LIBWS_UNCOMPRESSED; /* the second goes back as it came */
    CHECK_EQ(libws_send(conn, kind, message->data, message->len), LIBWS_OK);
}
static void on_client_open(libws_conn conn, void *user) {
    libws_conn_info info = {.struct_size = sizeof info, .deflate = -1};
    (void)user;
    CHECK_EQ(libws_info(conn, &info), LIBWS_OK);
    agreed = info.deflate;
    CHECK_EQ(libws_send(conn, LIBWS_BINARY, prose, LEN), LIBWS_OK);
    CHECK_EQ(libws_send(conn, LIBWS_TEXT | LIBWS_UNCOMPRESSED, prose, LEN), LIBWS_OK);
    CHECK_EQ(libws_send_text(conn, "abc"), LIBWS_OK);
}
static void on_client_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    record(message, client_flags, &at_client);
    if (at_client == 3) {
        CHECK_EQ(libws_publish(loop, "all", 0, LIBWS_TEXT, prose, LEN), 1);
        CHECK_EQ(libws_publish(loop, "all", 0, LIBWS_BINARY | LIBWS_UNCOMPRESSED, prose, LEN), 1);
    }
    if (at_client == 5) CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)user;
    CHECK(info->was_clean);
    closed++;
}

/* Three messages and their echoes, two of a topic; compressed when both ask for it. */
static void dialogue(uint32_t server, uint32_t client, uint32_t memory) {
    const libws_loop_options looping = {.struct_size = sizeof looping, .deflate_memory = memory};
    const libws_settings serving = {.struct_size = sizeof serving, .flags = server};
    const libws_settings asking = {.struct_size = sizeof asking, .flags = client};
    const libws_listen_options listening = {.struct_size = sizeof listening, .settings = &serving};
    const libws_connect_options connecting = {.struct_size = sizeof connecting, .settings = &asking};
    const libws_handlers server_side = {.struct_size = sizeof server_side, .on_open = on_server_open,
                                        .on_message = on_server_message, .on_close = on_close};
    const libws_handlers client_side = {.struct_size = sizeof client_side, .on_open = on_client_open,
                                        .on_message = on_client_message, .on_close = on_close};
    const uint32_t both = server & client & LIBWS_DEFLATE ? LIBWS_COMPRESSED : 0;
    char url[64];
    at_server = at_client = closed = 0;
    CHECK_EQ(libws_loop_new(&looping, &loop), LIBWS_OK);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", listen_on(loop, &server_side, NULL, &listening, NULL));
    CHECK_EQ(libws_connect(loop, url, &client_side, NULL, &connecting, NULL), LIBWS_OK);
    CHECK(turn_until(loop, &closed, 2));
    CHECK_EQ(agreed, both != 0);
    CHECK(at_server == 3 && at_client == 5);
    CHECK(server_flags[0] == both && server_flags[1] == 0 && server_flags[2] == 0);
    CHECK(client_flags[0] == both && client_flags[1] == 0 && client_flags[2] == 0);
    CHECK(client_flags[3] == both && client_flags[4] == 0);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
}

int main(void) {
    const uint32_t all = LIBWS_DEFLATE | LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER;
    check_begin(60);
    for (int i = 0; i < LEN; i++) prose[i] = (char)('a' + i * i % 23);
    dialogue(0, 0, 0);
    dialogue(LIBWS_DEFLATE, 0, 0);
    dialogue(0, LIBWS_DEFLATE, 0);
    dialogue(LIBWS_DEFLATE, LIBWS_DEFLATE, 0);
    for (uint32_t server = LIBWS_DEFLATE; server <= all; server += LIBWS_DEFLATE_TAKEOVER)
        for (uint32_t client = LIBWS_DEFLATE; client <= all; client += LIBWS_DEFLATE_TAKEOVER) {
            dialogue(server, client, 0);
            dialogue(server, client, 1);          /* no memory for takeover */
            dialogue(server, client, LIBWS_OFF);  /* no bound */
        }
    return check_end();
}
