/* chat [URL]: rooms and names by topics, the page on the same port. A line is words with tabs between them:
 *   client: join ROOM NAME | say TEXT | rtt
 *   server: here NAME | joined NAME | left NAME | taken NAME | said NAME TEXT | rtt MS */
#include "serve.h"
#include <stdlib.h>
#include <string.h>

struct member {
    struct member *next;
    libws_conn conn;
    char room[64], name[64];
};
static struct member *members; /* of all rooms; needs no lock: callbacks never run at the same time */

/* A room is a topic: one publish reaches everybody in it. */
static void tell(libws_conn one, const char *room, const char *what, const char *name, const char *text) {
    char line[4200];
    int len = snprintf(line, sizeof line, "%s\t%s%s%s", what, name, *text ? "\t" : "", text);
    if (one) libws_send(one, LIBWS_TEXT, line, (size_t)len);
    else libws_publish(loop, room, 0, LIBWS_TEXT, line, (size_t)len);
}

static void join(libws_conn conn, const char *room, const char *name) {
    for (struct member *m = members; m; m = m->next) {
        int same_name = strcmp(m->name, name) == 0;
        if (strcmp(m->room, room) != 0) continue;
        tell(conn, NULL, same_name ? "taken" : "here", m->name, "");
        if (same_name) return;
    }
    struct member *new = malloc(sizeof *new);
    if (!new) return;
    *new = (struct member){.conn = conn, .next = members};
    snprintf(new->room, sizeof new->room, "%s", room);
    snprintf(new->name, sizeof new->name, "%s", name);
    members = new;
    libws_set_user(conn, new); /* later callbacks of this connection get it */
    libws_subscribe(conn, room);
    tell(0, room, "joined", name, "");
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    struct member *me = user;
    char line[4001] = "", room[64], name[64], tab, more;
    int text = 0;
    if (message->len >= sizeof line) { libws_close(conn, 1009, "a line has at most 4000 bytes"); return; }
    memcpy(line, message->data, message->len);
    if (me && sscanf(line, "say\t%n", &text) == 0 && text) tell(0, me->room, "said", me->name, line + text);
    /* A name that is too long shows in `tab` or `more`; it is refused, since cut it might not be UTF-8. */
    if (!me && sscanf(line, "join\t%63[^\t]%c%63[^\t]%c", room, &tab, name, &more) == 3 && tab == '\t')
        join(conn, room, name);
    libws_conn_info info = {.struct_size = sizeof info};
    if (strcmp(line, "rtt") == 0 && libws_info(conn, &info) == LIBWS_OK && info.round_trip_us >= 0) {
        snprintf(name, sizeof name, "%.1f", (double)info.round_trip_us / 1000); /* by the heartbeat */
        tell(conn, NULL, "rtt", name, "");
    }
}

static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    struct member *me = user, **at = &members;
    if ((void)conn, (void)info, !me) return; /* never joined */
    while (*at != me) at = &(*at)->next;
    *at = me->next;
    tell(0, me->room, "left", me->name, "");
    free(me);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_message = on_message, .on_close = on_close};
    libws_settings settings = {.struct_size = sizeof settings, .heartbeat_ms = 1000};
    libws_listen_options options = {
        .struct_size = sizeof options, .settings = &settings, .static_root = PAGES "/chat"};
    libws_listener listener;
    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
